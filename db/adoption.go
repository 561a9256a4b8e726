package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Adoption is one taking up of a policy version, and how far what exists was reckoned by it.
//
// Category: technical.
type Adoption struct {
	bun.BaseModel `bun:"table:adoptions"`

	Seq        int64 `bun:",pk,autoincrement"`
	Version    string
	Published  musa.Millis
	Effective  musa.Millis
	NextAsset  musa.AssetID  // reckoned up to here
	NextRecord musa.RecordID // reckoned up to here
	Looked     int64
	Shortened  int64
	Total      int64
	Finished   musa.Millis // 0 while the reckoning runs

	NextSubject musa.SubjectID // people were told up to here
	Told        musa.Millis    // 0 while they are being told
}

var adoptionTable = Table{Name: "adoptions", Category: Technical,
	Columns: columns(Technical, "seq", "version", "published", "effective", "next_asset", "next_record", "looked", "shortened", "total", "finished", "next_subject", "told"),
	Edges:   []Edge{{"next_asset", "assets", Keep}, {"next_record", "records", Keep}, {"next_subject", "subjects", Keep}}}

// Adopt takes up a published version, to decide from an instant on. Taking up the latest
// again changes nothing.
func (tx Tx) Adopt(ctx context.Context, version string, effective musa.Millis) error {
	if tx.writes && tx.dialect == PostgreSQL {
		// Two nodes that start at once would each find that the other has not taken it up.
		if _, err := tx.exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('adoptions', 2))"); err != nil {
			return wrapf(err, "adopt policy %s", version)
		}
	}
	list, err := tx.Adoptions(ctx)
	if err != nil {
		return err
	}
	if n := len(list); n > 0 && list[n-1].Version == version {
		return nil
	}
	a := Adoption{Version: version, Published: tx.Now, Effective: max(effective, tx.Now)}
	if len(list) == 0 {
		a.Finished, a.Told = tx.Now, tx.Now // nothing was made under another
	}
	return wrapf(tx.insert(ctx, &a), "adopt policy %s", version)
}

// Adoptions lists all of them, the first taken up first.
func (tx Tx) Adoptions(ctx context.Context) ([]Adoption, error) {
	var list []Adoption
	err := tx.get(ctx, &list, "SELECT * FROM adoptions ORDER BY seq")
	return list, wrapf(err, "adoptions")
}

// LastAdoption is the number of the latest, 0 before the first: a cheap look for whether
// there is another.
func (tx Tx) LastAdoption(ctx context.Context) (int64, error) {
	var seq int64
	err := tx.get(ctx, &seq, "SELECT COALESCE(MAX(seq), 0) FROM adoptions")
	return seq, wrapf(err, "last adoption")
}

// OpenReckonings lists adoptions by which not all that exists was reckoned, the first first.
func (tx Tx) OpenReckonings(ctx context.Context) ([]Adoption, error) {
	var list []Adoption
	err := tx.get(ctx, &list, "SELECT * FROM adoptions WHERE finished = 0 ORDER BY seq")
	return list, wrapf(err, "open reckonings")
}

// Adoption finds one by its number; musa.ErrNotFound. In a Write its row stays locked until
// the end.
func (tx Tx) Adoption(ctx context.Context, seq int64) (Adoption, error) {
	var a Adoption
	err := tx.get(ctx, &a, "SELECT * FROM adoptions WHERE seq = ? ?", seq, tx.locked(forUpdate))
	return a, wrapf(err, "adoption %d", seq)
}

// SaveReckoning stores how far a reckoning is.
func (tx Tx) SaveReckoning(ctx context.Context, a Adoption) error {
	n, err := tx.exec(ctx, `UPDATE adoptions SET next_asset = ?, next_record = ?, looked = ?, shortened = ?, total = ?, finished = ?
		WHERE seq = ?`, a.NextAsset, a.NextRecord, a.Looked, a.Shortened, a.Total, a.Finished, a.Seq)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "save reckoning %d", a.Seq)
}

// UntoldAdoption is the first whose people were not all told of it; musa.ErrNotFound for none.
// In a Write its row stays locked until the end.
func (tx Tx) UntoldAdoption(ctx context.Context) (Adoption, error) {
	var a Adoption
	err := tx.get(ctx, &a, "SELECT * FROM adoptions WHERE told = 0 ORDER BY seq LIMIT 1 ?", tx.locked(forUpdate))
	return a, wrapf(err, "untold adoption")
}

// SaveTelling stores how far the telling is.
func (tx Tx) SaveTelling(ctx context.Context, a Adoption) error {
	_, err := tx.exec(ctx, "UPDATE adoptions SET next_subject = ?, told = ? WHERE seq = ?", a.NextSubject, a.Told, a.Seq)
	return wrapf(err, "save telling %d", a.Seq)
}
