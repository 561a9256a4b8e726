package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// Choice is one yes or no of a person, to a consent of the policy or to the policy or terms themselves.
// Rows are only added: a later one supersedes.
//
// Category: preference.
type Choice struct {
	bun.BaseModel `bun:"table:choices"`

	ID            musa.ChoiceID `bun:",pk"`
	Subject       musa.SubjectID
	Name          string       // of the consent; "policy" and "terms" for acceptance
	Item          musa.AssetID // empty for all that is theirs
	Given         bool
	Via           string // banner, settings, sign_up, use, signal, mail
	PolicyVersion string // under which they were asked
	At            musa.Millis
	Superseded    musa.Millis // 0 while it is the last word
	Expires       musa.Millis // 0 where the policy lets it last
}

var choiceTable = Table{Name: "choices", Category: musa.CategoryPreference, Columns: columns(musa.CategoryPreference, "id", "subject", "name", "item", "given", "via", "policy_version", "at", "superseded", "expires"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Keep}, {"item", "assets", Keep}}}

// Choose adds a choice, made now, and supersedes what the person said before about the same.
// Lock their row first (Subject): two at once would both be the last word. A backup target's
// journal learns of a no, so that no restore brings the yes before it back.
func (tx Tx) Choose(ctx context.Context, c Choice) error {
	c.ID, c.At, c.Superseded = musa.NewChoiceID(tx.Now.Time()), tx.Now, 0
	_, err := tx.exec(ctx, "UPDATE choices SET superseded = ? WHERE subject = ? AND name = ? AND item = ? AND superseded = 0", tx.Now, c.Subject, c.Name, c.Item)
	if err == nil {
		err = tx.insert(ctx, &c)
	}
	if err == nil && !c.Given {
		err = tx.NoteAct(ctx, Act{Did: ActWithdrew, Subject: c.Subject, What: c.Name, Item: string(c.Item)})
	}
	return wrapf(err, "choice %s of %s", c.ID, c.Subject)
}

// LastWords lists what a person said last about each thing; what they said about a single
// item only while that is there.
func (tx Tx) LastWords(ctx context.Context, subject musa.SubjectID) ([]Choice, error) {
	var list []Choice
	err := tx.get(ctx, &list, `SELECT c.* FROM choices AS c LEFT JOIN assets AS a ON a.id = c.item
		WHERE c.subject = ? AND c.superseded = 0 AND (c.item = '' OR a.state = 'active') ORDER BY c.name, c.item`, subject)
	return list, wrapf(err, "last words of %s", subject)
}

// Spoken pages, by id, through owners who are there and of whose standing something was said: a
// yes counts, a no was entered, or a request was decided.
func (tx Tx) Spoken(ctx context.Context, after musa.SubjectID, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT s.id FROM subjects AS s WHERE s.state IN ('active', 'suspended') AND s.id > ?0
		AND (s.consents <> '' OR s.objections <> '' OR s.restricted > 0 OR s.unlogged > 0
			OR EXISTS (SELECT 1 FROM choices AS c WHERE c.subject = s.id AND c.superseded = 0 AND c.given = ?2)
			OR EXISTS (SELECT 1 FROM cases AS c WHERE c.subject = s.id AND c.state = 'answered' AND c.outcome IN ('restricted', 'upheld')))
		ORDER BY s.id LIMIT ?1`, after, limit, false)
	return ids, wrapf(err, "owners who said something")
}

// ChoicesOf lists all that a person ever chose older than after ("" for all), newest first.
func (tx Tx) ChoicesOf(ctx context.Context, subject musa.SubjectID, after musa.ChoiceID, limit int) ([]Choice, error) {
	var list []Choice
	older := bun.SafeQuery("")
	if after != "" {
		older = bun.SafeQuery("AND id < ?", after)
	}
	err := tx.get(ctx, &list, "SELECT * FROM choices WHERE subject = ? ? ORDER BY id DESC LIMIT ?", subject, older, limit)
	return list, wrapf(err, "choices of %s", subject)
}

// ExpiredChoices lists last words whose time is over, the longest over first.
func (tx Tx) ExpiredChoices(ctx context.Context, limit int) ([]Choice, error) {
	var list []Choice
	err := tx.get(ctx, &list, "SELECT * FROM choices WHERE expires > 0 AND superseded = 0 AND expires <= ? ORDER BY expires LIMIT ? ?", tx.Now, limit, tx.locked(skipLocked))
	return list, wrapf(err, "expired choices")
}

// EndChoice marks a last word as such no more, from an instant on.
func (tx Tx) EndChoice(ctx context.Context, id musa.ChoiceID, at musa.Millis) error {
	_, err := tx.exec(ctx, "UPDATE choices SET superseded = ? WHERE id = ? AND superseded = 0", at, id)
	return wrapf(err, "end choice %s", id)
}

// EndChoicesOf does so with all last words of a person whose account was closed.
func (tx Tx) EndChoicesOf(ctx context.Context, subject musa.SubjectID, at musa.Millis) error {
	_, err := tx.exec(ctx, "UPDATE choices SET superseded = ? WHERE subject = ? AND superseded = 0", at, subject)
	return wrapf(err, "end choices of %s", subject)
}

// LostChoices lists last words about single items that are not there any more.
func (tx Tx) LostChoices(ctx context.Context, limit int) ([]Choice, error) {
	var list []Choice
	err := tx.get(ctx, &list, `SELECT c.* FROM choices AS c LEFT JOIN assets AS a ON a.id = c.item
		WHERE c.item <> '' AND c.superseded = 0 AND (a.id IS NULL OR a.state <> 'active') ORDER BY c.id LIMIT ?`, limit)
	return list, wrapf(err, "choices about what is gone")
}

// ChoicesUnder lists those who said yes, last, under another version than the one given, by
// id after one.
func (tx Tx) ChoicesUnder(ctx context.Context, other string, after musa.ChoiceID, limit int) ([]Choice, error) {
	var list []Choice
	err := tx.get(ctx, &list, "SELECT * FROM choices WHERE superseded = 0 AND given = ? AND policy_version <> ? AND id > ? ORDER BY id LIMIT ?",
		true, other, after, limit)
	return list, wrapf(err, "choices under other versions")
}

// DropChoicesOf forgets all that a person ever chose.
func (tx Tx) DropChoicesOf(ctx context.Context, subject musa.SubjectID) error {
	_, err := tx.exec(ctx, "DELETE FROM choices WHERE subject = ?", subject)
	return wrapf(err, "drop choices of %s", subject)
}

// DropChoices forgets up to limit choices that were superseded before an instant, of owners
// in a tier; with an empty one, of owners that nobody knows any more.
func (tx Tx) DropChoices(ctx context.Context, tier musa.Tier, before musa.Millis, limit int) (int, error) {
	whose := bun.SafeQuery("s.tier = ?", tier)
	if tier == "" {
		whose = bun.SafeQuery("s.id IS NULL")
	}
	n, err := tx.exec(ctx, `DELETE FROM choices WHERE id IN (SELECT c.id FROM choices AS c LEFT JOIN subjects AS s ON s.id = c.subject
		WHERE c.superseded > 0 AND c.superseded < ? AND ? ORDER BY c.superseded LIMIT ?)`, before, whose, limit)
	return n, wrapf(err, "drop choices")
}

// endChoices ends what an owner chose when they are erased: a guest's choices go with them,
// others' stay, as proof, until their own end.
func (tx Tx) endChoices(ctx context.Context, id musa.SubjectID) error {
	_, err := tx.exec(ctx, "DELETE FROM choices WHERE subject = ?0 AND EXISTS (SELECT 1 FROM subjects WHERE id = ?0 AND kind = 'guest')", id)
	if err == nil {
		err = tx.EndChoicesOf(ctx, id, tx.Now)
	}
	if err != nil {
		return fmt.Errorf("end choices of %s: %w", id, err)
	}
	return nil
}
