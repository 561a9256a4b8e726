// Package support is where people are heard: threads with the staff, ratings of pictures, error
// reports, surveys, and the register of incidents with those whom they concern.
//
// It promises that what somebody said lies sealed in records of their own, which end by the
// policy and go with their account; that the staff open a thread only after that was entered,
// with a reason, where its owner sees it; and that a mail says that an answer waits and never
// what it says. Totals of surveys hide small groups. Promises E-32, C-08, C-09, P-04, P-26.
//
// It sends no mail (notice does), decides about no account (rights does), and reads no
// pictures but those that their owner attached.
package support

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"musa"
	"musa/account"
	"musa/db"
	"musa/erasure"
	"musa/notice"
	"musa/policy"
	"musa/retention"
	"musa/rights"
	"musa/studio"
	"musa/vault"
)

// The bounds of what is taken. They are in characters where they bound words.
const (
	maxWords    = 8000
	maxMessages = 200
	maxThread   = 512 << 10 // of one thread, sealed
	maxOpen     = 20        // threads of one person that are not closed
	maxReason   = 2000
	maxNote     = 2000
	maxNotes    = 200 // of an incident, that change nothing
)

// How often one person or network may write.
const (
	writesPerHour   = 30
	strangersPerDay = 10
)

// Config is what a Desk leans on. All fields are needed.
type Config struct {
	DB       *db.DB
	Vault    *vault.Vault
	Accounts *account.Accounts
	Notices  *notice.Notices
	Studio   *studio.Studio
	Rights   *rights.Rights
	Keeper   *retention.Keeper
	Eraser   *erasure.Eraser
	Policy   func() *policy.Document
	Versions func() *policy.Versions
	Clock    musa.Clock
	Version  string // of the program, for error reports
}

// Desk hears people and lets the staff answer.
type Desk struct{ Config }

// New makes a desk.
func New(c Config) *Desk { return &Desk{c} }

// Contact is whom people can ask about their data, as the policy says it.
type Contact struct {
	Name, Address, Country, Site string
}

// Contact tells it, to anybody.
func (d *Desk) Contact() Contact {
	c := d.Policy().Controller
	return Contact{Name: c.Name, Address: c.Contact, Country: c.Country, Site: c.Site}
}

// Kinds lists what a thread can be about.
func Kinds() []musa.ThreadKind {
	return []musa.ThreadKind{musa.ThreadQuestion, musa.ThreadPrivacy, musa.ThreadAccount, musa.ThreadFault, musa.ThreadChild}
}

// checkWords refuses words that are empty, too long, or no text.
func checkWords(field, words string, most int) error {
	switch {
	case strings.TrimSpace(words) == "":
		return &musa.Problem{Kind: musa.ErrInvalid, Code: field + "_needed", Field: field, Public: "Say in a few words what it is about."}
	case utf8.RuneCountInString(words) > most:
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: field + "_too_long", Field: field,
			Public: fmt.Sprintf("That is longer than %d characters. Say it shorter, or in several messages.", most)}
	case !utf8.ValidString(words) || strings.ContainsRune(words, 0):
		return &musa.Problem{Kind: musa.ErrInvalid, Code: field + "_not_text", Field: field, Public: "That is no text in UTF-8."}
	}
	return nil
}

// day is how long strangers' tries count.
const day = 24 * time.Hour

// own refuses what a person does for themselves where nobody is there.
func own(by musa.Actor) error {
	if by.Subject == "" || by.Role != musa.RoleSubject {
		return musa.ErrUnauthorized
	}
	return nil
}

// staffed refuses everybody but some roles: to others there is nothing.
func staffed(by musa.Actor, roles ...musa.Role) error {
	for _, r := range roles {
		if by.Role == r && by.Subject != "" {
			return nil
		}
	}
	return musa.ErrNotFound
}
