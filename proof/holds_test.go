package proof_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/proof"
)

// holding adds to a store what compliance holds in it: one hold that stands and one that two
// persons released.
type holding struct {
	*store
	custody  musa.SubjectID
	evidence musa.AssetID
	held     musa.HoldID
	released musa.HoldID
}

func (s *store) hold(t testing.TB) holding {
	t.Helper()
	h := holding{store: s, custody: musa.NewSubjectID(start.Time()), held: musa.NewHoldID(start.Time()), released: musa.NewHoldID(start.Time())}
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		err := tx.InsertSubject(ctx, db.Subject{ID: h.custody, Kind: musa.SubjectCustody, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now, PolicyVersion: "1"}, wrapped())
		if err != nil {
			return err
		}
		return tx.AssignRole(ctx, s.owner, musa.RoleCompliance)
	})
	h.evidence = musa.NewAssetID(start.Time())
	size := s.put(t, h.evidence, musa.BlobFull, noise(90_000))
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		err := tx.InsertAsset(ctx, db.Asset{ID: h.evidence, Owner: h.custody, Author: h.custody, Category: musa.CategoryEvidence, State: musa.AssetActive,
			Created: tx.Now, Due: start.Add(time.Hour), Rule: "retention[2]", Reason: musa.EndPolicy, PolicyVersion: "1", Bytes: size},
			db.Secret{Wrapped: wrapped(), Sealed: append([]byte{1}, noise(80)...)})
		if err != nil {
			return err
		}
		for _, id := range []musa.HoldID{h.held, h.released} {
			row := db.Hold{ID: id, Asset: s.active, Owner: s.owner, OpenedBy: s.owner, Untold: true}
			if err := tx.InsertHold(ctx, row); err != nil {
				return err
			}
			row.State, row.Evidence, row.Ends, row.Review = musa.HoldHeld, h.evidence, start.Add(time.Hour), start.Add(time.Hour)
			if id == h.released {
				row.State, row.Evidence, row.ReleaseBy, row.ReleaseAsked, row.ReleasedBy, row.Released = musa.HoldReleased, s.purged[0], s.owner, tx.Now, s.erased, tx.Now
			}
			if err := tx.SaveHold(ctx, row, musa.HoldOpening); err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

var holdFaults = map[string]planted{
	"opening hold left by a crash":    {kind: proof.FaultHoldStale, where: "holds", level: proof.Quick, sql: "UPDATE holds SET state = 'opening', evidence = '', released = 0, opened = {now} - 660001 WHERE id = {released hold}"},
	"overdue review":                  {kind: proof.FaultHoldReview, where: "holds", level: proof.Quick, sql: "UPDATE holds SET review = {now} - 86400001 WHERE id = {held hold}"},
	"hold without evidence":           {kind: proof.FaultHoldEmpty, where: "holds", level: proof.Whole, sql: "UPDATE holds SET evidence = {purged} WHERE id = {held hold}"},
	"hold on something that is none":  {kind: proof.FaultHoldEmpty, where: "holds", level: proof.Whole, sql: "UPDATE holds SET evidence = {active} WHERE id = {held hold}"},
	"evidence without hold":           {kind: proof.FaultEvidence, where: "assets", level: proof.Whole, sql: "DELETE FROM holds WHERE id = {held hold}"},
	"hold released by one":            {kind: proof.FaultHoldAlone, where: "holds", level: proof.Whole, sql: "UPDATE holds SET released_by = release_by WHERE id = {released hold}"},
	"hold released by nobody":         {kind: proof.FaultHoldAlone, where: "holds", level: proof.Whole, sql: "UPDATE holds SET state = 'released', released = {now}, evidence = '' WHERE id = {held hold}"},
	"released and still there":        {kind: proof.FaultHoldLives, where: "holds", level: proof.Whole, sql: "UPDATE holds SET evidence = {evidence} WHERE id = {released hold}"},
	"hold with another end":           {kind: proof.FaultHoldEnd, where: "holds", level: proof.Whole, sql: "UPDATE holds SET ends = ends + 1 WHERE id = {held hold}"},
	"hold in a state of its own":      {kind: proof.FaultState, where: "holds", level: proof.Whole, sql: "UPDATE holds SET state = 'paused' WHERE id = {held hold}"},
	"untold hold that the log tells":  {kind: proof.FaultHoldTold, where: "holds", level: proof.Whole, sql: "UPDATE audit_events SET subject = {owner}, object = {held hold} WHERE seq = 2"},
	"evidence in a person's hands":    {kind: proof.FaultCustody, where: "assets", level: proof.Whole, sql: "UPDATE assets SET owner = {owner} WHERE id = {evidence}; UPDATE secrets SET subject = {owner} WHERE id = {evidence}"},
	"custody without its key":         {kind: proof.FaultCustody, where: "assets", level: proof.Whole, sql: "DELETE FROM subject_keys WHERE subject = {custody}"},
	"lost key of the custody":         {kind: proof.FaultKeyMissing, where: "subjects", level: proof.Whole, sql: "DELETE FROM subject_keys WHERE subject = {custody}"},
	"lost key of a held copy":         {kind: proof.FaultKeyMissing, where: "assets", level: proof.Whole, sql: "DELETE FROM secrets WHERE id = {evidence}"},
	"role of nobody":                  {kind: proof.FaultStaff, where: "roles", level: proof.Whole, sql: "INSERT INTO roles VALUES (" + gone + ", 'operator', 0)"},
	"role of an erased person":        {kind: proof.FaultStaff, where: "roles", level: proof.Whole, sql: "INSERT INTO roles VALUES ({erased}, 'compliance', 0)"},
	"held copy overdue":               {kind: proof.FaultOverdue, where: "assets", level: proof.Quick, sql: "UPDATE assets SET due = {now} - 6000, ends = {now} - 6000 WHERE id = {evidence}"},
	"due beside another that is held": {kind: proof.FaultOverdue, where: "assets", level: proof.Quick, sql: "UPDATE assets SET due = {now} - 6000, ends = {now} - 6000 WHERE id = {active}"},
}

// Every kind of fault about holds and staff is found and named; none in a clean store.
func TestFaultsOfHolds(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := open(t, dialect)
			s.furnish(t)
			h := s.hold(t)
			names := strings.NewReplacer("{held hold}", "'"+string(h.held)+"'", "{released hold}", "'"+string(h.released)+"'",
				"{evidence}", "'"+string(h.evidence)+"'", "{custody}", "'"+string(h.custody)+"'")
			for name, f := range holdFaults {
				f.sql = names.Replace(f.sql)
				t.Run(name, func(t *testing.T) { f.run(t, s) })
			}
			t.Run("none in a clean store", func(t *testing.T) {
				if found := s.look(t, s.inspector(), s.options()); len(found) > 0 {
					t.Errorf("found %+v", found)
				}
			})
			t.Run("an asset keeps its key while it is copied for a hold", func(t *testing.T) {
				o := s.options()
				o.Level, o.Now = proof.Quick, start.Add(time.Hour+o.EraseWithin)+1
				overdue := func() (n int) {
					for _, f := range s.look(t, s.inspector(), o) {
						if f.Kind == proof.FaultOverdue && f.ID == string(s.active) {
							n++
						}
					}
					return n
				}
				if overdue() != 1 {
					t.Error("without a hold on its way it is not overdue")
				}
				s.write(t, func(ctx context.Context, tx db.Tx) error {
					return tx.InsertHold(ctx, db.Hold{ID: musa.NewHoldID(start.Time()), Asset: s.active, Owner: s.owner, OpenedBy: s.owner})
				})
				if overdue() != 0 {
					t.Error("while it is copied it is called overdue")
				}
			})
		})
	}
}
