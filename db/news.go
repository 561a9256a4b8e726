package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// News is what an operator tells those who asked to hear it. Its words are the operator's and say
// nothing about a person.
//
// Category: technical.
type News struct {
	bun.BaseModel `bun:"table:news"`

	ID          musa.NewsID `bun:",pk"`
	Kind        string      // of the policy's mails
	Created     musa.Millis
	Words       string         // JSON, by language
	NextSubject musa.SubjectID // people were told up to here
	Told        musa.Millis    // 0 while they are being told
}

var newsTable = Table{Name: "news", Category: Technical, Columns: columns(Technical, "id", "kind", "created", "words", "next_subject", "told"),
	Edges: []Edge{{"next_subject", "subjects", Keep}}}

// InsertNews adds news, which nobody was told yet.
func (tx Tx) InsertNews(ctx context.Context, n News) error {
	n.Created, n.NextSubject, n.Told = tx.Now, "", 0
	return wrapf(tx.insert(ctx, &n), "insert news %s", n.ID)
}

// NewsOf finds news by their id; musa.ErrNotFound.
func (tx Tx) NewsOf(ctx context.Context, id musa.NewsID) (News, error) {
	var n News
	err := tx.get(ctx, &n, "SELECT * FROM news WHERE id = ?", id)
	return n, wrapf(err, "news %s", id)
}

// NewsSince lists what was told since an instant, the newest first.
func (tx Tx) NewsSince(ctx context.Context, since musa.Millis, limit int) ([]News, error) {
	var list []News
	err := tx.get(ctx, &list, "SELECT * FROM news WHERE created >= ? ORDER BY id DESC LIMIT ?", since, limit)
	return list, wrapf(err, "news")
}

// UntoldNews are the first that not all who asked were told; musa.ErrNotFound for none. In a
// Write their row stays locked until the end.
func (tx Tx) UntoldNews(ctx context.Context) (News, error) {
	var n News
	err := tx.get(ctx, &n, "SELECT * FROM news WHERE told = 0 ORDER BY id LIMIT 1 ?", tx.locked(forUpdate))
	return n, wrapf(err, "untold news")
}

// SaveNews stores how far the telling is.
func (tx Tx) SaveNews(ctx context.Context, n News) error {
	_, err := tx.exec(ctx, "UPDATE news SET next_subject = ?, told = ? WHERE id = ?", n.NextSubject, n.Told, n.ID)
	return wrapf(err, "save news %s", n.ID)
}

// Reachable lists people with an open account and a confirmed address, by id after one.
func (tx Tx) Reachable(ctx context.Context, after musa.SubjectID, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT a.subject FROM addresses AS a JOIN subjects AS s ON s.id = a.subject
		WHERE a.subject > ? AND a.confirmed > 0 AND s.state IN ('active', 'suspended') ORDER BY a.subject LIMIT ?`, after, limit)
	return ids, wrapf(err, "who can be reached")
}

// Willing lists those of them whose last word on something is yes, by id after one.
func (tx Tx) Willing(ctx context.Context, name string, after musa.SubjectID, limit int) ([]musa.SubjectID, error) {
	var ids []musa.SubjectID
	err := tx.get(ctx, &ids, `SELECT a.subject FROM addresses AS a JOIN subjects AS s ON s.id = a.subject
		JOIN choices AS c ON c.subject = a.subject AND c.name = ? AND c.item = '' AND c.superseded = 0 AND c.given = ?
		WHERE a.subject > ? AND a.confirmed > 0 AND s.state IN ('active', 'suspended') ORDER BY a.subject LIMIT ?`, name, true, after, limit)
	return ids, wrapf(err, "who wants %s", name)
}
