package db_test

import (
	"context"
	"testing"

	"musa"
	"musa/db"
)

// An owner who is just taking the closing back is not listed among those who are closing: all
// that is theirs would be ordered away behind their back. Once they are reduced they are not
// listed any more.
func TestClosingSubjectsLeaveOutWhoComesBack(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		const id = musa.SubjectID("su_closing")
		closing := func(ctx context.Context, tx db.Tx, want int) error {
			list, err := tx.ClosingSubjects(ctx, "", 10)
			if err == nil && len(list) != want {
				t.Errorf("%d are closing, want %d", len(list), want)
			}
			return err
		}
		shut := func(ctx context.Context, tx db.Tx) error {
			return tx.CloseSubject(ctx, db.Subject{ID: id, Closed: tx.Now, Ends: tx.Now + 1000}, tx.Now+10)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if err := tx.InsertSubject(ctx, db.Subject{ID: id, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now}, []byte("key")); err != nil {
				return err
			}
			return shut(ctx, tx)
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return closing(ctx, tx, 1) })
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.ReopenSubject(ctx, id, start+10); err != nil || s.Dialect() == db.SQLite {
				return err // SQLite has one writer: nobody looks meanwhile
			}
			return s.Write(ctx, func(ctx context.Context, other db.Tx) error { return closing(ctx, other, 0) })
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if err := shut(ctx, tx); err != nil {
				return err
			}
			return tx.ReduceSubject(ctx, id)
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return closing(ctx, tx, 0) })
	})
}

// A closed account whose end has come counts as overdue until it is erased.
func TestOverdueCountsClosedAccounts(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		const id = musa.SubjectID("su_ended")
		var end musa.Millis
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if err := tx.InsertSubject(ctx, db.Subject{ID: id, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now}, []byte("key")); err != nil {
				return err
			}
			end = tx.Now + 1000
			return tx.CloseSubject(ctx, db.Subject{ID: id, Closed: tx.Now, Ends: end}, tx.Now+10)
		})
		overdue := func(at musa.Millis, want db.Backlog) {
			t.Helper()
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				b, err := tx.Overdue(ctx, at)
				if b != want {
					t.Errorf("at %d overdue is %+v, want %+v", at-end, b, want)
				}
				return err
			})
		}
		overdue(end-1, db.Backlog{})
		overdue(end, db.Backlog{Subjects: 1, Oldest: end})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.EraseSubject(ctx, id)
			return err
		})
		overdue(end, db.Backlog{})
	})
}
