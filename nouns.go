package musa

// Category is a class of personal data as the policy document lists it. The list is
// fixed by the program: a table belongs to one, and a policy must define all of them.
type Category string

// The categories, named after fideslang's taxonomy (see NOTICE).
const (
	CategoryAccount       Category = "account"
	CategoryCredential    Category = "credential"
	CategoryOriginal      Category = "original"
	CategoryOutput        Category = "output"
	CategoryPrompt        Category = "prompt"
	CategoryLibraryPrompt Category = "library_prompt"
	CategoryConversation  Category = "conversation"
	CategoryHistory       Category = "history"
	CategoryScratch       Category = "scratch"
	CategorySafe          Category = "safe"
	CategoryShare         Category = "share"
	CategoryFeedback      Category = "feedback"
	CategorySurvey        Category = "survey"
	CategorySupport       Category = "support"
	CategoryMembership    Category = "membership"
	CategoryInteraction   Category = "interaction"
	CategoryDevice        Category = "device"
	CategorySecurityLog   Category = "security_log"
	CategoryGenerationLog Category = "generation_log"
	CategoryAudit         Category = "audit"
	CategoryDisclosure    Category = "disclosure"
	CategoryCase          Category = "case"
	CategoryMail          Category = "mail"
	CategoryPayment       Category = "payment"
	CategoryPreference    Category = "preference"
	CategoryEvidence      Category = "evidence"
	CategoryUsageTotal    Category = "usage_total"
)

// Categories lists every category, in the order a policy document does.
func Categories() []Category {
	return []Category{
		CategoryAccount, CategoryCredential, CategoryOriginal, CategoryOutput, CategoryPrompt,
		CategoryLibraryPrompt, CategoryConversation, CategoryHistory, CategoryScratch, CategorySafe,
		CategoryShare, CategoryFeedback, CategorySurvey, CategorySupport, CategoryMembership,
		CategoryInteraction, CategoryDevice, CategorySecurityLog, CategoryGenerationLog, CategoryAudit,
		CategoryDisclosure, CategoryCase, CategoryMail, CategoryPayment, CategoryPreference,
		CategoryEvidence, CategoryUsageTotal,
	}
}

// Purpose is why data is opened, as the policy document lists it.
type Purpose string

// The purposes that code asks for today. A policy may list more.
const (
	PurposeGenerate     Purpose = "generate"
	PurposeDeliver      Purpose = "deliver"
	PurposeSignIn       Purpose = "sign_in"
	PurposeAnswerRights Purpose = "answer_rights"
	PurposeSecure       Purpose = "secure"
	PurposeProve        Purpose = "prove"
	PurposeHold         Purpose = "hold"
	PurposeHelp         Purpose = "help"
	PurposeNotify       Purpose = "notify"
	PurposeMarket       Purpose = "market"
	PurposeTrain        Purpose = "train"
	PurposeAttend       Purpose = "attend" // staff read what people wrote about their rights
)

// Tier is a class of owner that a policy's rules tell apart.
type Tier string

// The tiers of the shape; a policy declares which it uses.
const (
	TierGuest  Tier = "guest"
	TierMember Tier = "member"
	TierPaid   Tier = "paid"
)

// Actor is who acts, passed explicitly to every operation that opens or changes data.
type Actor struct {
	Subject SubjectID // whose data; empty for the system itself
	Session SessionID // through which session, empty for the system
	Tier    Tier
	Role    Role
	Closed  Millis // when they closed their account, while that can be undone; 0 while it is open
	// Person is who acts for the subject, where that is a workspace; empty where they are one.
	Person   SubjectID
	Member   MemberRole // in that workspace
	Standing Standing   // of the subject
	// Suspended says that the account is set aside until a person decides: nothing new is made in
	// it, and its owner's rights stay.
	Suspended bool
	Key       KeyID // of the API, where somebody acts through one; it never proves who they are
	// Thread is the one thing that is open to who came by the link to an answer; empty for all others.
	Thread ThreadID
}

// Standing is what an owner has said about the use of what is theirs. The zero Standing
// agreed to nothing and objected to nothing, under the strictest law.
type Standing struct {
	Consents   []string  // given and valid; one for a single item is its name, a colon and the item's id, a no to one has a minus before
	Objections []Purpose // upheld, and each no to what people may only opt out of
	Restricted bool      // GDPR art. 18
	Region     string    // a country ("DE") or its part ("US-CA"); empty where nobody said
	Unlogged   bool      // the owner switched the interaction log off
}

// MemberRole is what somebody may do in a workspace.
type MemberRole string

// The roles of a workspace; each may do what those after it may. MemberRole.May has the table.
const (
	MemberOwner  MemberRole = "owner"
	MemberAdmin  MemberRole = "admin"
	MemberEditor MemberRole = "editor"
	MemberViewer MemberRole = "viewer"
)

// Role is what an actor may be besides an owner.
type Role string

// The roles that exist so far.
const (
	RoleSubject  Role = "subject"  // the owner of the data
	RoleOperator Role = "operator" // runs the instance, opens nobody's content
	RoleSystem   Role = "system"   // retention, recovery, sequencing

	RoleSupport    Role = "support"    // helps people who ask
	RoleModerator  Role = "moderator"  // looks at what a screener stopped
	RoleCompliance Role = "compliance" // holds and discloses what the law demands
)

// JobKind is the kind of work that an order asks for.
type JobKind string

// The kinds of the native API. An engine says which it can do.
const (
	KindGenerate         JobKind = "generate"
	KindEdit             JobKind = "edit"
	KindEnhance          JobKind = "enhance"
	KindUpscale          JobKind = "upscale"
	KindRemoveBackground JobKind = "remove_background"
	KindInpaint          JobKind = "inpaint"
	KindVideo            JobKind = "video"
	KindPrompt           JobKind = "prompt"
	KindText             JobKind = "text"
)

// JobState is where a job stands. It moves only forward:
// queued → running → one of the ended states; queued → cancelled.
type JobState string

// The states of a job.
const (
	JobQueued    JobState = "queued"
	JobRunning   JobState = "running"
	JobSucceeded JobState = "succeeded"
	JobFailed    JobState = "failed"
	JobBlocked   JobState = "blocked"
	JobCancelled JobState = "cancelled"
)

// Ended says that nothing more will happen to the job.
func (s JobState) Ended() bool { return s != JobQueued && s != JobRunning }

// AssetState is where an asset stands: active → erased → purged. "Hidden" is not
// stored: it follows from the asset's end and the clock at each open.
type AssetState string

// The states of an asset, after the policy's lifecycle.
const (
	AssetActive AssetState = "active" // readable until its end
	AssetErased AssetState = "erased" // key destroyed; bytes may still lie there
	AssetPurged AssetState = "purged" // bytes removed and their absence checked
)

// BlobRole tells the sealed files of one asset apart.
type BlobRole string

// The roles a blob can have.
const (
	BlobFull  BlobRole = "full"
	BlobThumb BlobRole = "thumb"
)

// EndReason says why an asset's life ends (or ended); it is what a 410 tells its owner.
type EndReason string

// The reasons an asset goes.
const (
	EndPolicy  EndReason = "policy"  // the policy's lifetime ran out
	EndOrdered EndReason = "ordered" // its owner deleted it
)

// SubjectKind is what an owner of data is.
type SubjectKind string

// The kinds of owner.
const (
	SubjectGuest     SubjectKind = "guest"
	SubjectPerson    SubjectKind = "person"
	SubjectWorkspace SubjectKind = "workspace"
	SubjectCustody   SubjectKind = "custody" // owns what is held for compliance
)

// SubjectState is where an owner stands: active → closed → erased, or straight to erased.
type SubjectState string

// The states of an owner.
const (
	SubjectActive SubjectState = "active"
	SubjectClosed SubjectState = "closed" // signed off; what the law keeps is still there
	SubjectErased SubjectState = "erased" // key destroyed: nothing sealed opens any more
	// Suspended is set aside from active, until a person decides: nothing new is made, and
	// what is theirs stays theirs to ask about.
	SubjectSuspended SubjectState = "suspended"
)

// BlobState is where sealed bytes stand: writing → live → gone with their row, once their asset
// is erased; or writing → doomed, when the writing never ended.
type BlobState string

// The states of a blob.
const (
	BlobWriting BlobState = "writing" // the row came first, the bytes may be there in part
	BlobLive    BlobState = "live"
	BlobDoomed  BlobState = "doomed" // never finished, to be removed, whatever is there of it
)

// HoldState is where a hold stands: opening → held → released, or dropped when its copy
// could not be made.
type HoldState string

// The states of a hold.
const (
	HoldOpening  HoldState = "opening" // the copy is being made; the asset's key stays
	HoldHeld     HoldState = "held"
	HoldReleased HoldState = "released"
)

// LoginKind is a way to sign in.
type LoginKind string

// The ways. TOTP and recovery codes are second factors.
const (
	LoginPassword LoginKind = "password"
	LoginPasskey  LoginKind = "passkey"
	LoginProvider LoginKind = "provider" // an identity provider, by OIDC or OAuth
	LoginTOTP     LoginKind = "totp"
	LoginRecovery LoginKind = "recovery"
)

// VoucherPurpose is what a voucher is good for.
type VoucherPurpose string

// The purposes.
const (
	VoucherSignUp VoucherPurpose = "sign_up" // confirm the address, and make the account
	VoucherReset  VoucherPurpose = "reset"   // a new password
	VoucherChange VoucherPurpose = "change"  // confirm another address
	VoucherInvite VoucherPurpose = "invite"  // join a workspace
	VoucherList   VoucherPurpose = "list"    // confirm that a kind of mail is wanted
	VoucherThread VoucherPurpose = "thread"  // read and answer a thread without an account
	VoucherFactor VoucherPurpose = "factor"  // half signed in: the second factor is missing
	// What a browser and an authenticator, or a provider, are in the middle of.
	VoucherPasskey  VoucherPurpose = "passkey"
	VoucherTOTP     VoucherPurpose = "totp" // an authenticator app waits for its first code
	VoucherProvider VoucherPurpose = "provider"
	VoucherJoin     VoucherPurpose = "join" // a provider knows them, and they have no account yet
)

// CaseState is where a request about rights stands.
type CaseState string

// The states of a case.
const (
	CaseReceived  CaseState = "received"
	CaseExtended  CaseState = "extended" // the person was told that it takes longer
	CaseAnswered  CaseState = "answered"
	CaseRefused   CaseState = "refused"
	CaseWithdrawn CaseState = "withdrawn" // by the person
)

// ThreadKind is what a thread with support is about.
type ThreadKind string

// The kinds.
const (
	ThreadQuestion ThreadKind = "question"
	ThreadPrivacy  ThreadKind = "privacy"
	ThreadAccount  ThreadKind = "account"
	ThreadFault    ThreadKind = "fault" // an error report
	ThreadChild    ThreadKind = "child" // somebody may be under age
)

// ThreadState is whose turn it is.
type ThreadState string

// The states of a thread.
const (
	ThreadOpen     ThreadState = "open"
	ThreadAnswered ThreadState = "answered"
	ThreadClosed   ThreadState = "closed"
)

// MailState is where a mail stands: waiting → sending → sent, failed or unsure.
type MailState string

// The states of a mail. One is unsure when the process died while the other side had it:
// it is never sent again by itself.
const (
	MailWaiting MailState = "waiting"
	MailSending MailState = "sending"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed"
	MailUnsure  MailState = "unsure"
)
