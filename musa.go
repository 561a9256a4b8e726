// Package musa is the glossary of the studio: the identifiers, states, categories
// and kinds of error that every other package speaks in. It holds no behaviour
// beyond formatting and parsing them, does no I/O and reads no clock.
package musa

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
)

// Clock tells the present. It is injected where time matters, so that tests turn it
// and one transaction has one "now".
type Clock func() time.Time

// Millis is an instant in Unix milliseconds UTC, as both databases store it.
// Zero means "not yet".
type Millis int64

// At turns a time into its stored form.
func At(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the instant as a UTC time; the zero Millis gives the zero Time.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Add moves the instant by d, to the millisecond.
func (m Millis) Add(d time.Duration) Millis { return m + Millis(d.Milliseconds()) }

// Identifiers are distinct types, so that a job cannot pose as an asset. Each is a
// two-letter prefix, an underscore and 26 characters of lower-case base32.
type (
	// SubjectID names an owner of data: a guest, a person or a workspace.
	SubjectID string
	// SessionID names one signed-in device; it is not the token.
	SessionID string
	// AssetID names one picture in every role it has (full size, thumbnail).
	AssetID string
	// RecordID names one sealed record: a prompt, a line of history.
	RecordID string
	// JobID names one order of work.
	JobID string
	// ReceiptID names the proof of one erasure.
	ReceiptID string
	// BatchID names the erasures that were confirmed by one checkpoint.
	BatchID string
	// EntryID names one line of the ledger.
	EntryID string
	// AuditID names one event of the audit log.
	AuditID string
	// HoldID names one hold for compliance.
	HoldID string
	// BackupID names one copy of the store.
	BackupID string
	// LoginID names one way to sign in: a password, a passkey, a provider.
	LoginID string
	// VoucherID names a secret that works once and was sent to somebody.
	VoucherID string
	// KeyID names a key of the API; it is not the key itself.
	KeyID string
	// ChoiceID names one yes or no of a person.
	ChoiceID string
	// CaseID names a request about rights, or an incident.
	CaseID string
	// ThreadID names a conversation with support.
	ThreadID string
	// MailID names a mail to be sent.
	MailID string
	// NewsID names what an operator tells those who asked to hear it.
	NewsID string
	// SurveyID names a set of questions.
	SurveyID string
)

const (
	subjectPrefix = "su_"
	sessionPrefix = "se_"
	assetPrefix   = "as_"
	recordPrefix  = "rc_"
	jobPrefix     = "jo_"
	receiptPrefix = "re_"
	batchPrefix   = "ba_"
	entryPrefix   = "le_"
	auditPrefix   = "au_"
	holdPrefix    = "ho_"
	backupPrefix  = "bk_"
	loginPrefix   = "lo_"
	voucherPrefix = "vo_"
	keyPrefix     = "ke_"
	choicePrefix  = "ch_"
	casePrefix    = "ca_"
	threadPrefix  = "th_"
	mailPrefix    = "ml_"
	newsPrefix    = "nw_"
	surveyPrefix  = "sv_"
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// mint makes 48 bits of time and 80 random bits, so that ids sort by age and cannot
// be guessed. crypto/rand.Read never fails since Go 1.24.
func mint(prefix string, now time.Time) string {
	raw := stamp(now)
	rand.Read(raw[6:])
	return prefix + idEncoding.EncodeToString(raw[:])
}

func stamp(now time.Time) (raw [16]byte) {
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i))
	}
	return raw
}

// AssetIDOf makes an asset's id out of an instant and bytes that say what it is of, where
// the same thing has to be known again. The bytes must be as good as random to others.
func AssetIDOf(now time.Time, of [10]byte) AssetID { return AssetID(mintOf(assetPrefix, now, of)) }

// JobIDOf does the same for a job.
func JobIDOf(now time.Time, of [10]byte) JobID { return JobID(mintOf(jobPrefix, now, of)) }

// TailOf is how an id ends that was made of these bytes, whatever its instant.
func TailOf(of [10]byte) string { return mintOf("", time.Time{}, of)[10:] }

func mintOf(prefix string, now time.Time, of [10]byte) string {
	raw := stamp(now)
	copy(raw[6:], of[:])
	return prefix + idEncoding.EncodeToString(raw[:])
}

// AssetIDsSince sorts before every id that is minted from an instant on.
func AssetIDsSince(t time.Time) AssetID { return AssetID(since(assetPrefix, t)) }

// RecordIDsSince does the same for records.
func RecordIDsSince(t time.Time) RecordID { return RecordID(since(recordPrefix, t)) }

func since(prefix string, t time.Time) string {
	raw := stamp(t.Add(-time.Millisecond)) // strictly before
	return prefix + idEncoding.EncodeToString(raw[:])
}

// NewSubjectID mints an owner's id.
func NewSubjectID(now time.Time) SubjectID { return SubjectID(mint(subjectPrefix, now)) }

// NewSessionID mints a session's id.
func NewSessionID(now time.Time) SessionID { return SessionID(mint(sessionPrefix, now)) }

// NewAssetID mints an asset's id.
func NewAssetID(now time.Time) AssetID { return AssetID(mint(assetPrefix, now)) }

// NewRecordID mints a sealed record's id.
func NewRecordID(now time.Time) RecordID { return RecordID(mint(recordPrefix, now)) }

// NewJobID mints a job's id.
func NewJobID(now time.Time) JobID { return JobID(mint(jobPrefix, now)) }

// NewReceiptID mints a receipt's id.
func NewReceiptID(now time.Time) ReceiptID { return ReceiptID(mint(receiptPrefix, now)) }

// NewBatchID mints a batch's id.
func NewBatchID(now time.Time) BatchID { return BatchID(mint(batchPrefix, now)) }

// NewEntryID mints a ledger line's id. Lines of one instant sort by their step, since a grant and
// the hold that it makes possible may commit together.
func NewEntryID(now time.Time, step byte) EntryID {
	raw := stamp(now)
	rand.Read(raw[6:])
	raw[6] = step
	return EntryID(entryPrefix + idEncoding.EncodeToString(raw[:]))
}

// NewAuditID mints an audit event's id.
func NewAuditID(now time.Time) AuditID { return AuditID(mint(auditPrefix, now)) }

// NewHoldID mints a hold's id.
func NewHoldID(now time.Time) HoldID { return HoldID(mint(holdPrefix, now)) }

// NewBackupID mints a backup's id.
func NewBackupID(now time.Time) BackupID { return BackupID(mint(backupPrefix, now)) }

// NewLoginID mints a login's id.
func NewLoginID(now time.Time) LoginID { return LoginID(mint(loginPrefix, now)) }

// NewVoucherID mints a voucher's id.
func NewVoucherID(now time.Time) VoucherID { return VoucherID(mint(voucherPrefix, now)) }

// NewKeyID mints a key's id.
func NewKeyID(now time.Time) KeyID { return KeyID(mint(keyPrefix, now)) }

// NewChoiceID mints a choice's id.
func NewChoiceID(now time.Time) ChoiceID { return ChoiceID(mint(choicePrefix, now)) }

// NewCaseID mints a case's id.
func NewCaseID(now time.Time) CaseID { return CaseID(mint(casePrefix, now)) }

// NewThreadID mints a thread's id.
func NewThreadID(now time.Time) ThreadID { return ThreadID(mint(threadPrefix, now)) }

// NewNewsID mints an id of news.
func NewNewsID(now time.Time) NewsID { return NewsID(mint(newsPrefix, now)) }

// NewMailID mints a mail's id.
func NewMailID(now time.Time) MailID { return MailID(mint(mailPrefix, now)) }

// NewSurveyID mints a survey's id.
func NewSurveyID(now time.Time) SurveyID { return SurveyID(mint(surveyPrefix, now)) }

// ParseLoginID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseLoginID(s string) (LoginID, error) {
	if !wellFormed(loginPrefix, s) {
		return "", ErrNotFound
	}
	return LoginID(s), nil
}

// ParseKeyID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseKeyID(s string) (KeyID, error) {
	if !wellFormed(keyPrefix, s) {
		return "", ErrNotFound
	}
	return KeyID(s), nil
}

// ParseCaseID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseCaseID(s string) (CaseID, error) {
	if !wellFormed(casePrefix, s) {
		return "", ErrNotFound
	}
	return CaseID(s), nil
}

// ParseThreadID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseThreadID(s string) (ThreadID, error) {
	if !wellFormed(threadPrefix, s) {
		return "", ErrNotFound
	}
	return ThreadID(s), nil
}

// ParseSurveyID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseSurveyID(s string) (SurveyID, error) {
	if !wellFormed(surveyPrefix, s) {
		return "", ErrNotFound
	}
	return SurveyID(s), nil
}

// ParseHoldID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseHoldID(s string) (HoldID, error) {
	if !wellFormed(holdPrefix, s) {
		return "", ErrNotFound
	}
	return HoldID(s), nil
}

// ParseSubjectID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseSubjectID(s string) (SubjectID, error) {
	if !wellFormed(subjectPrefix, s) {
		return "", ErrNotFound
	}
	return SubjectID(s), nil
}

// ParseAssetID checks the form of an id that came from outside.
// It returns ErrNotFound for a malformed one: no such thing can exist.
func ParseAssetID(s string) (AssetID, error) {
	if !wellFormed(assetPrefix, s) {
		return "", ErrNotFound
	}
	return AssetID(s), nil
}

// ParseJobID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseJobID(s string) (JobID, error) {
	if !wellFormed(jobPrefix, s) {
		return "", ErrNotFound
	}
	return JobID(s), nil
}

// ParseReceiptID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseReceiptID(s string) (ReceiptID, error) {
	if !wellFormed(receiptPrefix, s) {
		return "", ErrNotFound
	}
	return ReceiptID(s), nil
}

// ParseSessionID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseSessionID(s string) (SessionID, error) {
	if !wellFormed(sessionPrefix, s) {
		return "", ErrNotFound
	}
	return SessionID(s), nil
}

// ParseVoucherID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseVoucherID(s string) (VoucherID, error) {
	if !wellFormed(voucherPrefix, s) {
		return "", ErrNotFound
	}
	return VoucherID(s), nil
}

// ParseMailID checks the form of an id that came from outside; ErrNotFound otherwise.
func ParseMailID(s string) (MailID, error) {
	if !wellFormed(mailPrefix, s) {
		return "", ErrNotFound
	}
	return MailID(s), nil
}

func wellFormed(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok || len(rest) != 26 {
		return false
	}
	_, err := idEncoding.DecodeString(rest)
	return err == nil
}
