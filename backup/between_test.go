package backup_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/backup"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
)

// madeWhile copies the store, and does something between the copy's moment and its first row:
// what the policy leaves out of copies is asked there.
func (k *kept) madeWhile(do func()) {
	k.T.Helper()
	var once sync.Once
	a := backup.New(backup.Config{DB: k.DB, Blobs: k.Blobs, Target: k.target, Keys: k.Keys, Clock: k.Clock.Now, Log: slog.New(slog.DiscardHandler),
		Node: "other", Policy: func() *policy.Document {
			once.Do(do)
			return k.InForce()
		}})
	if _, err := a.Make(k.T.Context()); err != nil {
		k.T.Fatal(err)
	}
}

// keepGraceful is a studio whose policy gives seven days to think again.
func keepGraceful(t testing.TB, stores musatest.Stores) *kept {
	t.Helper()
	k := &kept{dir: t.TempDir()}
	k.target = folder(t, k.dir)
	k.Studio = musatest.New(t, musatest.Rig{Stores: stores, Policy: "enhancer", Backup: house.Backup{Target: k.target, Name: "bt_test"}})
	return k
}

// An account that closes after a copy's moment and before its row is read was open at that
// moment. It is closed again by the journal, and its end comes.
func TestAnAccountThatClosesWhileACopyIsMade(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keepGraceful(t, stores)
			leaves, wavers := k.Guest(), k.Guest()
			picture := wavers.Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
			by := func(g *musatest.Client) musa.Actor { return musa.Actor{Role: musa.RoleSubject, Subject: g.Subject()} }
			gone, back := by(leaves), by(wavers)
			var until musa.Millis
			k.madeWhile(func() {
				k.Clock.Turn(time.Second)
				c, err := k.Rights.Close(t.Context(), gone)
				_, waver := k.Rights.Close(t.Context(), back)
				if err := errors.Join(err, waver); err != nil {
					t.Error(err)
				}
				until = c.Until
			})
			if err := k.Rights.Reopen(t.Context(), back); err != nil {
				t.Fatal(err)
			}
			if err := k.Archive.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := k.fresh(t, stores)
			restored(t, r)
			wantAccount(t, r.DB, gone.Subject, musa.SubjectClosed)
			wantAccount(t, r.DB, back.Subject, musa.SubjectActive)
			err := r.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				a, err := tx.Asset(ctx, musa.AssetID(picture.ID))
				if err == nil && (a.State != musa.AssetActive || a.Ordered != 0) {
					t.Errorf("a picture of who came back is %s and ordered to go at %d", a.State, a.Ordered)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			k.Clock.Turn(until.Time().Sub(k.Clock.Now()))
			r = k.fresh(t, stores)
			restored(t, r)
			wantAccount(t, r.DB, gone.Subject, musa.SubjectErased)
		})
	}
}

func wantAccount(t testing.TB, d *db.DB, id musa.SubjectID, want musa.SubjectState) {
	t.Helper()
	var s db.Subject
	err := d.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		s, err = tx.Subject(ctx, id)
		return err
	})
	if err != nil || s.State != want {
		t.Errorf("after the restore an account is %s, want %s; %v", s.State, want, err)
	}
}

// What came to its end while a copy lay, and no journal names, has ended in the restored store.
func TestACopyThatLay(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keepGraceful(t, stores)
			leaves, stays := k.Guest(), k.Guest()
			gone, id := leaves.Subject(), stays.Subject()
			c, err := k.Rights.Close(t.Context(), musa.Actor{Role: musa.RoleSubject, Subject: gone})
			if err != nil {
				t.Fatal(err)
			}
			err = k.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				soon := tx.Now.Add(time.Hour)
				return errors.Join(
					tx.InsertAPIKey(ctx, db.APIKey{ID: musa.NewKeyID(tx.Now.Time()), Subject: id, Digest: bytes.Repeat([]byte{1}, 33), Scopes: "see", Created: tx.Now, Expires: soon}),
					tx.InsertVoucher(ctx, db.Voucher{ID: musa.NewVoucherID(tx.Now.Time()), Subject: id, Purpose: musa.VoucherReset, Digest: bytes.Repeat([]byte{1}, 33), Created: tx.Now, Expires: soon}),
					tx.Choose(ctx, db.Choice{Subject: id, Name: "training", Given: true, Via: "settings", PolicyVersion: k.InForce().Ref(), Expires: soon}))
			})
			if err != nil {
				t.Fatal(err)
			}
			k.made()
			k.Clock.Turn(c.Until.Time().Sub(k.Clock.Now()) + 2*24*time.Hour)
			r := k.fresh(t, stores)
			restored(t, r)
			wantAccount(t, r.DB, gone, musa.SubjectErased)
			for _, name := range []string{"vouchers", "api_keys"} {
				if rows := table(t, r.DB, name); len(rows) > 0 {
					t.Errorf("%s after their end: %q", name, rows)
				}
			}
		})
	}
}

// Whoever comes while a copy is made is not in it, and neither is anything that would keep
// them from coming again.
func TestWhoComesWhileACopyIsMade(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			k.Guest().Upload("a.png", photos.Read(t, "astronaut.png"), "save", "true")
			digest := bytes.Repeat([]byte{1}, 33)
			k.madeWhile(func() {
				k.Clock.Turn(time.Second)
				err := k.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
					id := musa.NewSubjectID(tx.Now.Time())
					s := db.Subject{ID: id, Kind: musa.SubjectWorkspace, Tier: musa.TierPaid, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now, PolicyVersion: k.InForce().Ref()}
					return errors.Join(tx.InsertSubject(ctx, s, bytes.Repeat([]byte{1}, 61)), tx.InsertAddress(ctx, db.Address{Subject: id, Digest: digest, Keys: 1}),
						tx.InsertWorkspace(ctx, db.Workspace{Subject: id, SetBy: id, SetAt: tx.Now}))
				})
				if err != nil {
					t.Error(err)
				}
			})
			r := k.fresh(t, stores)
			restored(t, r)
			for _, name := range []string{"addresses", "workspaces"} {
				if rows := table(t, r.DB, name); len(rows) > 0 {
					t.Errorf("%s of nobody after the restore: %q", name, rows)
				}
			}
		})
	}
}

// Of a part of the key copy that is written anew nothing is lost, however much came since.
func TestThePartsOfTheKeyCopyKeepTheirKeys(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			g, other := k.Guest(), k.Guest()
			photo := photos.Read(t, "astronaut.png")
			goes := g.Upload("a.png", photo, "save", "true")
			k.Clock.Turn(time.Second)
			stays := other.Upload("b.png", photo, "save", "true")
			k.made()
			key := k.wrapped(stays.ID)
			// Another node's clock runs late: these sort between the two.
			err := k.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				for i := range 2100 {
					id := fmt.Sprintf("%s%04d", goes.ID[:len(goes.ID)-4], i)
					if err := tx.InsertSecret(ctx, db.Secret{ID: id, Subject: "su_nobody", Wrapped: []byte{1, 2}}); err != nil && id != goes.ID {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+goes.ID, nil), nil)
			k.Clock.Turn(k.InForce().Undo())
			k.Step()
			if err := k.Archive.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			all := k.keyCopy()
			if !bytes.Contains(all, key) {
				t.Error("the key of a picture that stays has left the key copy")
			}
			if n := bytes.Count(all, []byte(base64.StdEncoding.EncodeToString([]byte{1, 2}))); n > 0 && n != 2100 {
				t.Errorf("%d of 2100 keys in the part that was written anew", n)
			}
		})
	}
}
