// Package consent keeps what each person allowed: every yes and no, with the version of the
// policy under which it was asked, when and by which way.
//
// It promises that rows are only added, that a later word counts from the moment of its commit
// on, that one consent never carries another (each has its own yes), and that a signal of the
// browser refuses what the policy lets it refuse in the very request that bears it. It asks
// nobody anything: pages and the API do. It keeps no cookie and knows no HTTP.
package consent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"musa"
	"musa/db"
	"musa/policy"
)

// Answer is a person's word.
type Answer int

// The answers. Only a person's own act makes a Yes.
const (
	No Answer = iota
	Yes
)

// The ways in which a word came.
const (
	ViaBanner   = "banner"
	ViaSettings = "settings"
	ViaSignUp   = "sign_up"
	ViaUse      = "use"
	ViaSignal   = "signal" // of the browser
	ViaMail     = "mail"
	ViaRights   = "rights"  // a request about a right
	ViaImport   = "import"  // came along with a picture
	ViaItself   = "itself"  // followed from another word of theirs
	ViaChanged  = "changed" // the policy asks for something else now
)

// Names that are no consents of the policy but choices all the same.
const (
	NamePolicy = "policy"
	NameTerms  = "terms"
	// NameLog is the interaction log: a No switches it off.
	NameLog = "interaction_log"
)

// Config is what a Book leans on. All fields are needed.
type Config struct {
	DB       *db.DB
	Policy   func() *policy.Document // in force now
	Versions func() *policy.Versions
}

// Book is where the choices stand.
type Book struct{ Config }

// New makes a book.
func New(c Config) *Book { return &Book{c} }

// Give enters a person's word on a consent, for one item or for all that is theirs (""), in
// the caller's transaction; the next decision obeys it. Saying the same again changes nothing,
// but that it renews what would expire. musa.ErrInvalid where the policy asks no such thing,
// musa.ErrNotFound for what is another's, musa.ErrRefused for a Yes that needs another first.
func (b *Book) Give(ctx context.Context, tx db.Tx, by musa.Actor, name string, item musa.AssetID, answer Answer, via string) error {
	if err := speaks(by); err != nil {
		return err
	}
	s, err := tx.Subject(ctx, by.Subject) // locked: one word after the other
	if err != nil {
		return err
	}
	if answer == Yes && s.State != musa.SubjectActive || s.State == musa.SubjectErased {
		return &musa.Problem{Kind: musa.ErrGone, Code: "account_closed", Public: "This account is not open, so nothing new can be allowed in it."}
	}
	doc := b.Policy()
	line, err := asked(doc, name, item)
	if err != nil {
		return err
	}
	if item != "" {
		if err := own(ctx, tx, by, item); err != nil {
			return err
		}
	}
	if answer == Yes {
		if err := enforced(ctx, tx, doc, s, name); err != nil {
			return err
		}
	}
	words, err := tx.LastWords(ctx, s.ID)
	if err != nil {
		return err
	}
	if answer == Yes && line.Requires != "" && !allows(words, line.Requires, item, tx.Now) {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "consent_requires", Field: name,
			Public: fmt.Sprintf("This consent only means something together with the consent to %q. Give that one first, or both at once.", line.Requires)}
	}
	c := db.Choice{Subject: s.ID, Name: name, Item: item, Given: answer == Yes, Via: via, PolicyVersion: doc.Ref()}
	if c.Given && line.Expires.Said() && !line.Expires.Indefinite() {
		c.Expires = line.Expires.After(tx.Now)
	}
	if said(words, c, tx.Now) {
		return nil
	}
	if err := enter(ctx, tx, by, c); err != nil {
		return err
	}
	if answer == No {
		if err := b.follow(ctx, tx, by, doc, words, c); err != nil {
			return err
		}
	}
	return b.Settle(ctx, tx, s.ID)
}

// speaks says whether the actor may speak for the owner: in a workspace only who leads it.
func speaks(by musa.Actor) error {
	switch {
	case by.Role != musa.RoleSubject && by.Role != musa.RoleSystem:
		return &musa.Problem{Kind: musa.ErrRefused, Code: "consent_own", Public: "Nobody gives or withdraws a consent for somebody else."}
	case by.Person != "" && by.Member != musa.MemberOwner && by.Member != musa.MemberAdmin:
		return &musa.Problem{Kind: musa.ErrRefused, Code: "member_role", Public: "Only owners and admins choose for a workspace. Ask one of them, or choose for yourself outside of it."}
	}
	return nil
}

// Asks is nil for a consent that people are asked for about everything at once, and else says, as a
// problem, why it is not answered there.
func Asks(doc *policy.Document, name string) error {
	_, err := asked(doc, name, "")
	return err
}

// asked is the policy's line on a consent that people are asked for.
func asked(doc *policy.Document, name string, item musa.AssetID) (policy.Consent, error) {
	line, ok := doc.Consents.Get(name)
	if !ok || line.Mode.Default == "notice_only" {
		return policy.Consent{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "consent_unknown", Field: "body",
			Public: "The policy asks for no such consent. GET /api/consents lists what it asks for."}
	}
	whole := len(line.Scope) == 0 || line.Scope.Has("subject")
	switch {
	case item == "" && !whole:
		return policy.Consent{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "consent_needs_item", Field: name,
			Public: "This consent is given for one picture at a time (PUT /api/assets/{id}/privacy)."}
	case item != "" && !line.Scope.Has("asset"):
		return policy.Consent{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "consent_has_no_item", Field: name,
			Public: "This consent is given for everything at once (PUT /api/me/consents), not for one picture."}
	}
	return line, nil
}

// enforced refuses a Yes to training in a workspace that settled for all that there is none.
// Policy organisation.may_enforce.
func enforced(ctx context.Context, tx db.Tx, doc *policy.Document, s db.Subject, name string) error {
	if s.Kind != musa.SubjectWorkspace || !trains(doc, name) {
		return nil
	}
	w, err := tx.Workspace(ctx, s.ID)
	if err != nil || w.NoTraining == 0 {
		return err
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "enforced", Field: name,
		Public: "This workspace enforces that nothing in it is used for training (no_training). An admin can take that back in its settings."}
}

// trains says whether a consent feeds training, by itself or through one that requires it.
func trains(doc *policy.Document, name string) bool {
	line, _ := doc.Consents.Get(name)
	return slices.Contains(purposes(doc, name), musa.PurposeTrain) || line.Requires != "" && slices.Contains(purposes(doc, line.Requires), musa.PurposeTrain)
}

// own refuses an item that is not there or another's.
func own(ctx context.Context, tx db.Tx, by musa.Actor, item musa.AssetID) error {
	a, err := tx.Asset(ctx, item)
	switch {
	case err != nil:
		return err
	case a.Owner != by.Subject:
		return fmt.Errorf("choice about %s: %w", item, musa.ErrNotFound)
	case a.State != musa.AssetActive || a.Ends > 0 && a.Ends <= tx.Now:
		return fmt.Errorf("choice about %s: %w", item, musa.ErrGone)
	}
	return nil
}

// allows looks for a Yes that is good for the item, or for everything.
func allows(words []db.Choice, name string, item musa.AssetID, now musa.Millis) bool {
	yes := false
	for _, w := range words {
		if w.Name != name || (w.Item != "" && w.Item != item) {
			continue
		}
		if w.Item == item && !w.Given {
			return false
		}
		yes = yes || valid(w, now)
	}
	return yes
}

func valid(c db.Choice, now musa.Millis) bool {
	return c.Given && (c.Expires == 0 || now < c.Expires)
}

// said tells a word that was said already, under the same version, and does not run out.
func said(words []db.Choice, c db.Choice, now musa.Millis) bool {
	for _, w := range words {
		if w.Name == c.Name && w.Item == c.Item {
			return w.Given == c.Given && w.PolicyVersion == c.PolicyVersion && w.Expires == 0 && c.Expires == 0
		}
	}
	return false
}

func enter(ctx context.Context, tx db.Tx, by musa.Actor, c db.Choice) error {
	if err := tx.Choose(ctx, c); err != nil {
		return err
	}
	action := "consent_withdrawn"
	if c.Given {
		action = "consent_given"
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: action, Role: by.Role, Subject: c.Subject, Object: c.Name})
}

// follow withdraws what cannot stand without the consent that was just withdrawn, so that it
// does not come back by itself with that one.
func (b *Book) follow(ctx context.Context, tx db.Tx, by musa.Actor, doc *policy.Document, words []db.Choice, gone db.Choice) error {
	for _, w := range words {
		if !w.Given || !rests(doc, w, gone) {
			continue
		}
		if gone.Item == "" && w.Item != "" && holdsAlone(words, gone.Name, w.Item, tx.Now) {
			continue
		}
		c := db.Choice{Subject: w.Subject, Name: w.Name, Item: w.Item, Via: ViaItself, PolicyVersion: doc.Ref()}
		if err := enter(ctx, tx, by, c); err != nil {
			return err
		}
	}
	return nil
}

// rests says whether a word means nothing without the consent that is gone: one that requires it,
// for what it was about, or the wish for a kind of news that rests on it.
func rests(doc *policy.Document, w, gone db.Choice) bool {
	if line, ok := doc.Consents.Get(w.Name); ok {
		return line.Requires == gone.Name && (gone.Item == "" || w.Item == gone.Item)
	}
	_, kind, ok := strings.Cut(w.Name, ":")
	news, listed := doc.Mails.Get(kind)
	return ok && listed && news.Consent == gone.Name && gone.Item == ""
}

// Lapse ends, in the caller's transaction, a consent whose time is over, with what cannot stand
// without it. The caller settles whose it was.
func (b *Book) Lapse(ctx context.Context, tx db.Tx, c db.Choice) error {
	words, err := tx.LastWords(ctx, c.Subject)
	if err != nil {
		return err
	}
	if err := tx.EndChoice(ctx, c.ID, c.Expires); err != nil {
		return err
	}
	return b.follow(ctx, tx, musa.Actor{Subject: c.Subject, Role: musa.RoleSystem}, b.Policy(), words, c)
}

// holdsAlone says whether an item has a Yes of its own.
func holdsAlone(words []db.Choice, name string, item musa.AssetID, now musa.Millis) bool {
	for _, w := range words {
		if w.Name == name && w.Item == item && valid(w, now) {
			return true
		}
	}
	return false
}

// Accept enters, in the caller's transaction, that a person accepted the policy and the terms
// in force, by the way named. What was accepted already is not entered again.
func (b *Book) Accept(ctx context.Context, tx db.Tx, subject musa.SubjectID, via string) error {
	if _, err := tx.Subject(ctx, subject); err != nil {
		return err
	}
	words, err := tx.LastWords(ctx, subject)
	if err != nil {
		return err
	}
	doc := b.Policy()
	for name, version := range map[string]string{NamePolicy: doc.Ref(), NameTerms: doc.Terms.Version} {
		c := db.Choice{Subject: subject, Name: name, Given: true, Via: via, PolicyVersion: version}
		if version == "" || said(words, c, tx.Now) {
			continue
		}
		if err := tx.Choose(ctx, c); err != nil {
			return err
		}
		if err := tx.AppendAudit(ctx, db.AuditEvent{Action: name + "_accepted", Role: musa.RoleSubject, Subject: subject, Object: version}); err != nil {
			return err
		}
	}
	return nil
}

// Log switches a person's interaction log: a No is off. musa.ErrRefused where the policy has
// no such switch.
func (b *Book) Log(ctx context.Context, tx db.Tx, by musa.Actor, on Answer, via string) error {
	if err := speaks(by); err != nil {
		return err
	}
	doc := b.Policy()
	if on == No && !doc.OffSwitch.Has(NameLog) {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "switch_unlisted", Public: "This studio's policy has no such switch (off_switch.interaction_log)."}
	}
	s, err := tx.Subject(ctx, by.Subject)
	if err != nil {
		return err
	}
	if s.State == musa.SubjectErased {
		return musa.ErrGone
	}
	if (s.Unlogged == 0) == (on == Yes) {
		return nil
	}
	c := db.Choice{Subject: s.ID, Name: NameLog, Given: on == Yes, Via: via, PolicyVersion: doc.Ref()}
	if err := enter(ctx, tx, by, c); err != nil {
		return err
	}
	return b.Settle(ctx, tx, s.ID)
}
