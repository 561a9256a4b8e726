package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// let gives a person an address, a login, a voucher and a key of the API, each with its secret.
func (s *store) let(t testing.TB, id musa.SubjectID, address string) (musa.LoginID, musa.VoucherID) {
	t.Helper()
	login, voucher, key := musa.NewLoginID(start.Time()), musa.NewVoucherID(start.Time()), musa.NewKeyID(start.Time())
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		errs := []error{
			tx.InsertAddress(ctx, db.Address{Subject: id, Digest: []byte(address), Keys: 1, Confirmed: tx.Now, Changed: tx.Now}),
			tx.InsertLogin(ctx, db.Login{ID: login, Subject: id, Kind: musa.LoginPassword, Created: tx.Now}),
			tx.InsertVoucher(ctx, db.Voucher{ID: voucher, Subject: id, Purpose: musa.VoucherReset, Digest: []byte("digest " + string(id)), Created: tx.Now, Expires: tx.Now.Add(time.Hour)}),
		}
		for _, of := range []string{string(login), string(voucher), string(key)} {
			errs = append(errs, tx.InsertSecret(ctx, db.Secret{ID: of, Subject: id, Wrapped: []byte("key of " + of), Sealed: []byte("hash of " + of)}))
		}
		return errors.Join(errs...)
	})
	return login, voucher
}

func TestAnAddressLeadsToOneAccount(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		one, two := s.person(t), s.person(t)
		s.let(t, one, "digest")
		err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.InsertAddress(ctx, db.Address{Subject: two, Digest: []byte("digest"), Keys: 1})
		})
		if !errors.Is(err, musa.ErrConflict) {
			t.Errorf("a second account with the address: %v, want a conflict", err)
		}
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			a, err := tx.AddressBy(ctx, []byte("digest"))
			if err == nil && a.Subject != one {
				t.Errorf("the address leads to %s, want %s", a.Subject, one)
			}
			return err
		})
	})
}

func TestAClosedAccountLosesWhatLetsAnybodyIn(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		gone, stays := s.person(t), s.person(t)
		login, _ := s.let(t, gone, "one")
		kept, _ := s.let(t, stays, "two")
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.ReduceSubject(ctx, gone) })
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			for what, find := range map[string]func(musa.SubjectID, musa.LoginID) error{
				"address": func(id musa.SubjectID, _ musa.LoginID) error { _, err := tx.AddressOf(ctx, id); return err },
				"login":   func(_ musa.SubjectID, l musa.LoginID) error { _, err := tx.Login(ctx, l); return err },
				"secret":  func(_ musa.SubjectID, l musa.LoginID) error { _, err := tx.Secret(ctx, string(l)); return err },
				"voucher": func(id musa.SubjectID, _ musa.LoginID) error {
					_, err := tx.VoucherBy(ctx, []byte("digest "+string(id)))
					return err
				},
			} {
				if err := find(gone, login); !errors.Is(err, musa.ErrNotFound) {
					t.Errorf("the %s of the closed account: %v, want none", what, err)
				}
				if err := find(stays, kept); err != nil {
					t.Errorf("the %s of another account: %v", what, err)
				}
			}
			return nil
		})
	})
}

func TestAVoucherEndsByUseAndByTime(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		id := s.person(t)
		_, voucher := s.let(t, id, "one")
		found := func() error {
			return s.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.VoucherBy(ctx, []byte("armed"))
				return err
			})
		}
		if err := found(); !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("before it was armed: %v", err)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return tx.ArmVoucher(ctx, voucher, []byte("armed"), time.Hour)
		})
		s.turn(start.Add(time.Hour) - 1)
		if err := found(); err != nil {
			t.Errorf("a millisecond before its end: %v", err)
		}
		s.turn(start.Add(time.Hour))
		if err := found(); !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("at its end: %v", err)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			ids, err := tx.ExpiredVouchers(ctx, 10)
			if err == nil && len(ids) != 1 {
				t.Errorf("%d vouchers expired, want 1", len(ids))
			}
			return errors.Join(err, tx.DropVouchers(ctx, ids...))
		})
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.Secret(ctx, string(voucher)); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("its secret stays: %v", err)
			}
			return nil
		})
	})
}

func TestTriesAreCountedUntilTheirTimeIsOver(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		hit := func() (l db.Limit) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				l, err = tx.Hit(ctx, []byte("somebody"), tx.Now.Add(time.Minute))
				return err
			})
			return l
		}
		hit()
		s.turn(start.Add(time.Minute) - 1)
		if l := hit(); l.Hits != 2 || l.Until != start.Add(time.Minute) {
			t.Errorf("the second of a minute: %+v", l)
		}
		s.turn(start.Add(time.Minute))
		if l := hit(); l.Hits != 1 || l.Until != start.Add(2*time.Minute) {
			t.Errorf("the first of the next minute: %+v", l)
		}
		s.turn(start.Add(2 * time.Minute))
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			n, err := tx.DropLimits(ctx, 10)
			if n != 1 {
				t.Errorf("%d counts forgotten, want 1", n)
			}
			return err
		})
	})
}
