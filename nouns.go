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
}

// Role is what an actor may be besides an owner.
type Role string

// The roles that exist so far.
const (
	RoleSubject  Role = "subject"  // the owner of the data
	RoleOperator Role = "operator" // runs the instance, opens nobody's content
	RoleSystem   Role = "system"   // retention, recovery, sequencing
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
)

// SubjectState is where an owner stands: active → closed → erased, or straight to erased.
type SubjectState string

// The states of an owner.
const (
	SubjectActive SubjectState = "active"
	SubjectClosed SubjectState = "closed" // signed off; what the law keeps is still there
	SubjectErased SubjectState = "erased" // key destroyed: nothing sealed opens any more
)

// BlobState is where sealed bytes stand: writing → live → doomed → gone with their row.
type BlobState string

// The states of a blob.
const (
	BlobWriting BlobState = "writing" // the row came first, the bytes may be there in part
	BlobLive    BlobState = "live"
	BlobDoomed  BlobState = "doomed" // to be removed, whatever is there of it
)
