package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"musa"
	"musa/db"
	"musa/ledger"
)

func (s *store) balances(t testing.TB, subject musa.SubjectID) (a ledger.Account) {
	t.Helper()
	read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		a, err = tx.Account(ctx, subject)
		if err != nil {
			return err
		}
		faults, err := tx.LedgerFaults(ctx, 10)
		if len(faults) != 0 {
			t.Errorf("ledger does not add up: %+v", faults)
		}
		return err
	})
	return a
}

func TestCreditsGoWithTheirCause(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		who := s.person(t)
		hold := func(job musa.JobID, n int64) error {
			return s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.Hold(ctx, who, job, n) })
		}
		if err := hold("jo_0", 1); !errors.Is(err, musa.ErrUnaffordable) {
			t.Errorf("holding without an account gives %v", err)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.Grant(ctx, who, 10) })
		if err := hold("jo_1", 10); err != nil {
			t.Errorf("holding all gives %v", err)
		}
		if err := hold("jo_2", 1); !errors.Is(err, musa.ErrUnaffordable) {
			t.Errorf("holding one more gives %v", err)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if err := tx.Capture(ctx, who, "jo_1", 4); err != nil {
				return err
			}
			return tx.Release(ctx, who, "jo_1", 6)
		})
		if a := s.balances(t, who); a != (ledger.Account{Balance: 6}) {
			t.Errorf("account is %+v", a)
		}
		if err := hold("jo_1", 1); !errors.Is(err, musa.ErrConflict) {
			t.Errorf("holding twice for one job gives %v", err)
		}
		failed := errors.New("the order fails after the hold")
		err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return errors.Join(tx.Hold(ctx, who, "jo_3", 6), failed)
		})
		if !errors.Is(err, failed) {
			t.Errorf("the write gives %v", err)
		}
		if a := s.balances(t, who); a != (ledger.Account{Balance: 6}) {
			t.Errorf("after a failed order the account is %+v", a)
		}
	})
}

// Fifty at once spend what suffices for some: never below zero, and sums that agree.
func TestLedgerUnderFifty(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		who := s.person(t)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.Grant(ctx, who, 60) })
		nodes := []*db.DB{s.DB, s.join(t)}
		var wait sync.WaitGroup
		for i := range 50 {
			wait.Go(func() {
				d := nodes[i%2]
				for range 3 {
					job := musa.NewJobID(start.Time())
					err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return tx.Hold(ctx, who, job, 7) })
					if errors.Is(err, musa.ErrUnaffordable) {
						continue
					}
					if err == nil {
						err = d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
							if i%3 == 0 {
								return tx.Capture(ctx, who, job, 7)
							}
							return tx.Release(ctx, who, job, 7)
						})
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if a := s.balances(t, who); a.Balance < 0 || a.Held != 0 || a.Balance%7 != 60%7 {
			t.Errorf("account is %+v", a)
		}
	})
}

// Who does not mind that credits were freed before goes on in the same transaction: an owner
// whose ledger does not add up is erased all the same.
func TestASecondReleaseLeavesItsTransactionAlive(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		who := s.person(t)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(tx.Grant(ctx, who, 10), tx.Hold(ctx, who, "jo_1", 4), tx.Hold(ctx, who, "jo_2", 4), tx.Release(ctx, who, "jo_1", 4))
		})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if err := tx.Release(ctx, who, "jo_1", 4); !errors.Is(err, musa.ErrConflict) {
				t.Errorf("releasing twice gives %v", err)
			}
			gone, err := tx.EraseSubject(ctx, who)
			if !gone {
				t.Error("the owner was not erased")
			}
			return err
		})
	})
}

func TestLedgerFaultsNamesWhatDoesNotAddUp(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		who, other := s.person(t), s.person(t)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(tx.Grant(ctx, who, 10), tx.Grant(ctx, other, 10))
		})
		s.tamper(t, "UPDATE ledger_accounts SET balance = 11 WHERE subject = '"+string(who)+"'")
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			faults, err := tx.LedgerFaults(ctx, 10)
			if len(faults) != 1 || faults[0] != (db.LedgerFault{Subject: who, Balance: 11, SumAmount: 10}) {
				t.Errorf("faults are %+v", faults)
			}
			return err
		})
	})
}
