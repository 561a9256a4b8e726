package backup

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/erasure"
	"musa/proof"
)

const (
	replayPage = 200
	// confirmTries bounds how often the restore asks the database to rewrite its files. What
	// is not confirmed by then the server confirms.
	confirmTries = 100
	confirmPause = 100 * time.Millisecond
)

// replay erases by their rows what has no key: what the journal names, what was due since,
// and what lost its key between the copies of rows and keys. It happens as any erasure does,
// and owners who are still there get their receipts.
func (s *restore) replay(ctx context.Context) error {
	e, err := s.eraser(ctx)
	if err != nil {
		return err
	}
	for {
		n := 0
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			bare, err := tx.Unkeyed(ctx, replayPage)
			if err != nil {
				return err
			}
			n = bare.Len()
			return erase(ctx, tx, e, bare)
		})
		if err != nil {
			return fmt.Errorf("replay erasures: %w", err)
		}
		if n == 0 {
			break
		}
		s.out.Replay += int64(n)
		s.passed("erasures", s.out.Replay)
	}
	// Their bytes were never brought.
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return tx.DropDoomed(ctx) })
}

func erase(ctx context.Context, tx db.Tx, e *erasure.Eraser, bare db.Unkeyed) error {
	for _, id := range bare.Subjects {
		if err := tx.ForgoReceipt(ctx, id); err != nil {
			return err
		}
		if _, err := e.Subject(ctx, tx, id); err != nil {
			return err
		}
	}
	if len(bare.Assets) > 0 {
		if _, err := e.Assets(ctx, tx, bare.Assets); err != nil {
			return err
		}
	}
	if len(bare.Records) > 0 {
		return e.Records(ctx, tx, bare.Records)
	}
	return nil
}

// sweep drops what harms nobody and is past its time all the same, because the copy lay: a look at
// the store would name it.
func (s *restore) sweep(ctx context.Context) error {
	for _, drop := range []func(context.Context, db.Tx) (int, error){
		func(ctx context.Context, tx db.Tx) (int, error) {
			return tx.DropTombstones(ctx, tx.Now.Add(-db.TombstoneLife), replayPage)
		},
		func(ctx context.Context, tx db.Tx) (int, error) { return tx.DropExpiredSessions(ctx, replayPage) },
		func(ctx context.Context, tx db.Tx) (int, error) { return tx.DropExpiredAPIKeys(ctx, replayPage) },
		func(ctx context.Context, tx db.Tx) (int, error) {
			ids, err := tx.ExpiredVouchers(ctx, replayPage)
			return len(ids), errors.Join(err, tx.DropVouchers(ctx, ids...))
		},
		func(ctx context.Context, tx db.Tx) (int, error) { return tx.EndHolds(ctx, replayPage) },
		func(ctx context.Context, tx db.Tx) (int, error) {
			return tx.DropHolds(ctx, tx.Now.Add(-db.TombstoneLife), replayPage)
		},
	} {
		for n := replayPage; n >= replayPage; {
			err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
				n, err = drop(ctx, tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("sweep what is past its time: %w", err)
			}
		}
	}
	return nil
}

func (s *restore) inspector() *proof.Inspector {
	return proof.New(proof.Config{SQL: s.DB.SQL(), Dialect: s.DB.Dialect(), Blobs: s.Blobs})
}

// confirm carries the replayed erasures to their end: the database's files are cleaned, each
// item is looked for, and its receipt is logged.
func (s *restore) confirm(ctx context.Context) error {
	e, err := s.eraser(ctx)
	if err != nil {
		return err
	}
	pause := time.NewTicker(confirmPause)
	defer pause.Stop()
	for range confirmTries {
		if err := s.keepUp(ctx); err != nil {
			return err
		}
		if err := e.Scrub(ctx); err != nil {
			return err
		}
		for n := 1; n > 0; {
			if n, err = e.Confirm(ctx, replayPage); err != nil {
				return err
			}
		}
		waiting := 0
		err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			list, err := tx.BareAssets(ctx, 1)
			waiting = len(list)
			return err
		})
		if err != nil {
			return err
		}
		if waiting == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
	}
	return e.Sequence(ctx)
}

// prove looks at the whole restored store: nothing here is believed because it was copied.
func (s *restore) prove(ctx context.Context) error {
	versions, err := s.Versions(ctx, s.DB)
	if err != nil {
		return err
	}
	doc := versions.InForce(musa.At(s.Clock()))
	tables := map[string][]string{}
	for _, t := range db.Tables() {
		for c := range t.Columns {
			tables[t.Name] = append(tables[t.Name], c)
		}
	}
	o := proof.Options{Now: musa.At(s.Clock()), Level: proof.Whole, EraseWithin: doc.EraseWithin(), PurgeWithin: doc.PurgeWithin(),
		ReceiptsFor: doc.ReceiptsFor(),
		Tables:      tables, Categories: musa.Categories(), Keyset: s.Keys.ID(),
		Checks: []proof.Check{{Name: "audit chain", Level: proof.Whole, Run: s.chain}}}
	s.out.Faults = []proof.Fault{}
	look, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	o.Progress = func(what string, n int64) {
		s.passed(what, n)
		if err := s.keepUp(look); err != nil {
			stop(err)
		}
	}
	_, err = s.inspector().Store(look, o, func(f proof.Fault) { s.out.Faults = append(s.out.Faults, f) })
	if err = cmp.Or(context.Cause(look), err); err != nil {
		return fmt.Errorf("look at the restored store: %w", err)
	}
	return nil
}

// faultChain is an audit log that does not hold together.
const faultChain = "audit_broken"

// chain walks the audit log to its signed end.
func (s *restore) chain(ctx context.Context, found func(proof.Fault)) error {
	verifier, err := audit.VerifierKey("musa/"+s.Keys.ID(), s.Keys.Signer().Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	var row db.AuditHead
	var first int64
	err = s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if row, err = tx.AuditHead(ctx); err != nil {
			return err
		}
		first, err = tx.FirstAudit(ctx)
		return err
	})
	if err != nil || row.Seq == 0 {
		return err
	}
	fault := func(words string) { found(proof.Fault{Kind: faultChain, Where: "audit_events", Words: words}) }
	head, err := audit.OpenHead([]byte(row.Note), verifier)
	if err != nil || head.Seq != row.Seq || string(head.Hash[:]) != string(row.Hash) {
		fault("its end is not what this instance signed")
		return nil
	}
	from, err := s.before(ctx, first)
	if err != nil {
		return err
	}
	if _, err := audit.Verify(from, s.DB.AuditEvents(ctx, from.Seq), head); err != nil {
		fault(err.Error())
	}
	return nil
}

// before is the kept head of the segment before the first event.
func (s *restore) before(ctx context.Context, first int64) (head audit.Head, err error) {
	if first <= 1 {
		return head, nil
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.AuditHeads(ctx, first-2, 1)
		if err == nil && len(list) == 1 && list[0].Seq == first-1 {
			head.Seq, head.At = list[0].Seq, list[0].At
			copy(head.Hash[:], list[0].Hash)
		}
		return err
	})
	return head, err
}
