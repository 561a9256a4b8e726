package bench_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/studio"
)

// bareShop is the peer of BenchmarkJobs: the statements of a job's three transactions
// (order, claim, finish) on a database of the same kind and settings, and nothing around
// them: no policy, no seal, no blob, no queue, and none of the reads between them.
type bareShop struct {
	db      *db.DB
	people  []customer
	wrapped []byte // as long as the product's
	prompt  []byte
	history []byte
}

func newBare(b *testing.B, on stores, n int) *bareShop {
	b.Helper()
	d := openDB(b, on)
	s := &bareShop{db: d, wrapped: random(61), prompt: random(48), history: random(560)}
	for range n {
		by := person(b, d, func(musa.SubjectID) ([]byte, error) { return s.wrapped, nil })
		a := db.Asset{ID: musa.NewAssetID(time.Now()), Owner: by.Subject, Author: by.Subject, Category: musa.CategoryOriginal,
			State: musa.AssetActive, Tier: by.Tier, Saved: true}
		must(b, d.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
			a.Created = tx.Now
			return tx.InsertAsset(ctx, a, s.secret(string(a.ID), by.Subject, s.prompt))
		}))
		s.people = append(s.people, customer{by, a.ID})
	}
	return s
}

func random(n int) []byte {
	out := make([]byte, n)
	rand.Read(out)
	return out
}

func (s *bareShop) secret(id string, owner musa.SubjectID, sealed []byte) db.Secret {
	return db.Secret{ID: id, Subject: owner, Wrapped: s.wrapped, Sealed: sealed}
}

func (s *bareShop) admit(ctx context.Context, tx db.Tx, c customer, id musa.JobID) error {
	who := c.by.Subject
	if err := tx.Hold(ctx, who, id, 1); err != nil {
		return err
	}
	if _, err := tx.OutCount(ctx, who, studio.Lane); err != nil {
		return err
	}
	j := db.Job{ID: id, Owner: who, Author: who, Kind: musa.KindEnhance, State: musa.JobQueued, Engine: "null", Model: "none",
		Held: 1, Lane: studio.Lane, Created: tx.Now, Announced: tx.Now}
	if err := tx.InsertJob(ctx, j, c.picture); err != nil {
		return err
	}
	a, err := tx.Asset(ctx, c.picture)
	if err != nil {
		return err
	}
	if err := tx.SaveAsset(ctx, a); err != nil {
		return err
	}
	for _, r := range []struct {
		category musa.Category
		sealed   []byte
	}{{musa.CategoryPrompt, s.prompt}, {musa.CategoryHistory, s.history}} {
		if _, err := tx.SubjectKey(ctx, who); err != nil {
			return err
		}
		rec := db.Record{ID: musa.NewRecordID(tx.Now.Time()), Owner: who, Category: r.category, Job: id, Tier: c.by.Tier,
			State: musa.AssetActive, Created: tx.Now}
		if err := tx.InsertRecord(ctx, rec, s.secret(string(rec.ID), who, r.sealed)); err != nil {
			return err
		}
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_admitted", Role: c.by.Role, Subject: who, Object: string(id)})
}

func (s *bareShop) claim(ctx context.Context, tx db.Tx, _ customer, id musa.JobID) error {
	_, _, err := tx.ClaimJob(ctx, db.Claim{Job: id, Runner: "node-bare"})
	return err
}

func (s *bareShop) finish(ctx context.Context, tx db.Tx, c customer, id musa.JobID) error {
	who := c.by.Subject
	if _, err := tx.FinishJob(ctx, id, 1, musa.JobSucceeded, ""); err != nil {
		return err
	}
	if err := tx.Capture(ctx, who, id, 1); err != nil {
		return err
	}
	if _, err := tx.SubjectKey(ctx, who); err != nil {
		return err
	}
	out := db.Asset{ID: musa.NewAssetID(tx.Now.Time()), Owner: who, Author: who, Category: musa.CategoryOutput,
		State: musa.AssetActive, Tier: c.by.Tier, Job: id, Created: tx.Now}
	var blobs []db.Blob
	for _, role := range []musa.BlobRole{musa.BlobFull, musa.BlobThumb} {
		blobs = append(blobs, db.Blob{Name: "asset/" + hex.EncodeToString(random(16)), Asset: out.ID, Role: role, Created: tx.Now, Size: 1000})
	}
	if err := tx.InsertBlob(ctx, blobs...); err != nil {
		return err
	}
	if err := tx.LiveBlob(ctx, blobs...); err != nil {
		return err
	}
	if err := tx.InsertAsset(ctx, out, s.secret(string(out.ID), who, s.history)); err != nil {
		return err
	}
	if err := tx.InsertSource(ctx, out.ID, c.picture); err != nil {
		return err
	}
	changed, err := tx.EndUse(ctx, id)
	if err != nil {
		return err
	}
	for _, a := range changed {
		if err := tx.SaveAsset(ctx, a); err != nil {
			return err
		}
	}
	if _, _, err := tx.NextToAnnounce(ctx, who, studio.Lane); err != nil {
		return err
	}
	return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_succeeded", Role: musa.RoleSystem, Subject: who, Object: string(id)})
}
