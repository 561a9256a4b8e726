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
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// mint makes 48 bits of time and 80 random bits, so that ids sort by age and cannot
// be guessed. crypto/rand.Read never fails since Go 1.24.
func mint(prefix string, now time.Time) string {
	var raw [16]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		raw[i] = byte(ms >> (40 - 8*i))
	}
	rand.Read(raw[6:])
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

// NewEntryID mints a ledger line's id.
func NewEntryID(now time.Time) EntryID { return EntryID(mint(entryPrefix, now)) }

// NewAuditID mints an audit event's id.
func NewAuditID(now time.Time) AuditID { return AuditID(mint(auditPrefix, now)) }

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

func wellFormed(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok || len(rest) != 26 {
		return false
	}
	_, err := idEncoding.DecodeString(rest)
	return err == nil
}
