package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// One query gives a job's records with what opens them. What is destroyed is empty in it,
// also where the database keeps the emptied row.
func TestRecordsOfAJobComeWithTheirKeys(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		s.person(t)
		record := func(job musa.JobID, c musa.Category, after time.Duration) db.Record {
			return db.Record{ID: musa.NewRecordID(start.Time().Add(after)), Owner: owner, Category: c, Job: job, Tier: musa.TierMember,
				State: musa.AssetActive, Created: start, Due: start + 10, Rule: "retention[0]", Reason: musa.EndPolicy, PolicyVersion: "1"}
		}
		prompt, history := record("jo_1", musa.CategoryPrompt, 0), record("jo_1", musa.CategoryHistory, time.Second)
		other := record("jo_2", musa.CategoryPrompt, 0)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(tx.InsertRecord(ctx, history, db.Secret{Wrapped: []byte("k2"), Sealed: []byte("plan")}),
				tx.InsertRecord(ctx, prompt, db.Secret{Wrapped: []byte("k1"), Sealed: []byte("words")}),
				tx.InsertRecord(ctx, other, db.Secret{Wrapped: []byte("k3"), Sealed: []byte("foreign")}))
		})
		want := func(first, second, subject string) {
			t.Helper()
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				got, err := tx.RecordsOfJob(ctx, "jo_1")
				if err != nil || len(got) != 2 || got[0].ID != prompt.ID || got[1].ID != history.ID {
					return fmt.Errorf("records %v: %w", got, err)
				}
				for i, opens := range []string{first, second} {
					o := got[i]
					if string(o.Secret.Wrapped)+string(o.Secret.Sealed) != opens || string(o.SubjectKey) != subject {
						t.Errorf("record %d comes with %q, %q, %q", i, o.Secret.Wrapped, o.Secret.Sealed, o.SubjectKey)
					}
					alone, err := tx.Record(ctx, o.ID)
					if err != nil || alone != o.Record {
						t.Errorf("alone it is %+v, here %+v: %v", alone, o.Record, err)
					}
				}
				return nil
			})
		}
		key := "wrapped key of " + string(owner)
		want("k1words", "k2plan", key)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.EraseRecords(ctx, db.Erasure[musa.RecordID]{Item: prompt.ID, Receipt: "re_1"})
			return err
		})
		want("", "k2plan", key)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.EraseSubject(ctx, owner)
			return err
		})
		want("", "", "")
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			none, err := tx.RecordsOfJob(ctx, "")
			if len(none) != 0 {
				t.Errorf("no job has %d records", len(none))
			}
			return err
		})
	})
}
