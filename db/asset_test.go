package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/db"
)

func TestOpeningAnAsset(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		a := s.hang(t, owner, start.Add(time.Hour))
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			o, err := tx.AssetWithSecret(ctx, a.ID)
			if err != nil {
				return err
			}
			a.Ends = a.Due
			if o.Asset != a {
				t.Errorf("asset is %+v, stored was %+v", o.Asset, a)
			}
			if string(o.Secret.Wrapped) != "item key of "+string(a.ID) || string(o.Secret.Sealed) != "name of "+string(a.ID) ||
				o.Secret.Subject != owner || string(o.SubjectKey) != "wrapped key of "+string(owner) {
				t.Errorf("opened with %q, %q", o.Secret, o.SubjectKey)
			}
			_, err = tx.AssetWithSecret(ctx, musa.NewAssetID(start.Time()))
			if !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("an unknown asset gives %v", err)
			}
			return nil
		})
		erase(t, s.DB, a.ID)
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			o, err := tx.AssetWithSecret(ctx, a.ID)
			if err != nil {
				return err
			}
			if o.Asset.State != musa.AssetErased || o.Secret.Wrapped != nil || o.Secret.Sealed != nil {
				t.Errorf("an erased asset still has %q in state %s", o.Secret, o.Asset.State)
			}
			if _, err := tx.Secret(ctx, string(a.ID)); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("a destroyed secret gives %v", err)
			}
			return nil
		})
	})
}

func erase(t testing.TB, d *db.DB, ids ...musa.AssetID) {
	t.Helper()
	write(t, d, func(ctx context.Context, tx db.Tx) error {
		list := make([]db.Erasure[musa.AssetID], len(ids))
		for i, id := range ids {
			list[i] = db.Erasure[musa.AssetID]{Item: id, Receipt: musa.NewReceiptID(tx.Now.Time())}
		}
		erased, err := tx.EraseAssets(ctx, list...)
		if err == nil && len(erased) != len(ids) {
			err = fmt.Errorf("erased %d of %d", len(erased), len(ids))
		}
		return err
	})
}

func TestAnAssetIsDueAtItsEndAndNotBefore(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		end := start.Add(time.Hour)
		byPolicy := s.hang(t, owner, end)
		never := s.hang(t, owner, 0)
		ordered := s.hang(t, owner, end.Add(time.Hour))
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			ordered.Ordered, ordered.Reason = end-1, musa.EndOrdered
			return tx.SaveAsset(ctx, ordered)
		})
		for _, c := range []struct {
			at   musa.Millis
			want []musa.AssetID
		}{
			{end - 2, nil},
			{end - 1, []musa.AssetID{ordered.ID}},
			{end, []musa.AssetID{ordered.ID, byPolicy.ID}},
			{end.Add(24 * time.Hour), []musa.AssetID{ordered.ID, byPolicy.ID}},
		} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				due, err := tx.DueAssets(ctx, c.at, 10)
				if err != nil {
					return err
				}
				if got := due; !slices.Equal(got, c.want) {
					t.Errorf("at %d due are %v, want %v (never: %s)", c.at-end, got, c.want, never.ID)
				}
				b, err := tx.Overdue(ctx, c.at)
				if b.Assets != len(c.want) || (len(c.want) > 0) != (b.Oldest == end-1) {
					t.Errorf("at %d overdue is %+v", c.at-end, b)
				}
				return err
			})
		}
	})
}

func ids(list []db.Asset) []musa.AssetID {
	var out []musa.AssetID
	for _, a := range list {
		out = append(out, a.ID)
	}
	return out
}

// Two nodes that drain what is due never take the same row, and leave none.
func TestTwoNodesDrainDueRows(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		const many = 300
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			for range many {
				if err := tx.InsertAsset(ctx, picture(owner, start), db.Secret{Wrapped: []byte("key")}); err != nil {
					return err
				}
			}
			return nil
		})
		taken := make([][]musa.AssetID, 2)
		var wait sync.WaitGroup
		for n, node := range []*db.DB{s.DB, s.join(t)} {
			wait.Go(func() {
				for {
					var batch []musa.AssetID
					err := node.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
						due, err := tx.DueAssets(ctx, start, 7)
						if err != nil {
							return err
						}
						list := make([]db.Erasure[musa.AssetID], len(due))
						for i, id := range due {
							list[i].Item = id
						}
						batch, err = tx.EraseAssets(ctx, list...)
						if len(batch) != len(due) {
							t.Errorf("of %d due rows %d were another's", len(due), len(due)-len(batch))
						}
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
					if len(batch) == 0 {
						return
					}
					taken[n] = append(taken[n], batch...)
				}
			})
		}
		wait.Wait()
		all := slices.Concat(taken[0], taken[1])
		slices.Sort(all)
		if len(all) != many || len(slices.Compact(all)) != many {
			t.Errorf("took %d rows, %d of them distinct, want %d", len(all), len(slices.Compact(all)), many)
		}
	})
}

func TestErasedThenPurgedThenForgotten(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		a, kept := s.hang(t, owner, 0), s.hang(t, owner, 0)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertSource(ctx, kept.ID, a.ID) })
		s.turn(start + 5)
		erase(t, s.DB, a.ID)
		purge := func() (n int) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				bare, err := tx.BareAssets(ctx, 10)
				if err != nil {
					return err
				}
				for _, b := range bare {
					list, err := tx.PurgeAssets(ctx, b.ID)
					if err != nil {
						return err
					}
					n += len(list)
				}
				return nil
			})
			return n
		}
		if n := purge(); n != 0 {
			t.Errorf("%d purged while bytes are there", n)
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			doomed, err := tx.ErasedBlobs(ctx, 10)
			if err != nil || len(doomed) != 1 || doomed[0].Asset != a.ID {
				return fmt.Errorf("doomed are %v: %w", doomed, err)
			}
			return tx.DropBlob(ctx, doomed[0].Name)
		})
		s.turn(start + 9)
		if n := purge(); n != 1 {
			t.Errorf("%d purged, want 1", n)
		}
		for _, c := range []struct {
			at   musa.Millis
			want []musa.AssetID
		}{
			{start.Add(db.TombstoneLife) + 4, []musa.AssetID{kept.ID, a.ID}},
			{start.Add(db.TombstoneLife) + 5, []musa.AssetID{kept.ID}},
		} {
			s.turn(c.at)
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				list, err := tx.AssetsOf(ctx, owner, "", 10)
				got := ids(list)
				slices.Sort(got)
				slices.Sort(c.want)
				if !slices.Equal(got, c.want) {
					t.Errorf("at %d the owner sees %v, want %v", c.at, got, c.want)
				}
				return err
			})
		}
		for _, c := range []struct {
			before musa.Millis
			want   int
		}{{start + 9, 0}, {start + 10, 1}} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				n, err := tx.DropTombstones(ctx, c.before, 10)
				if n != c.want {
					t.Errorf("before %d %d tombstones went, want %d", c.before-start, n, c.want)
				}
				return err
			})
		}
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.Asset(ctx, a.ID); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("a forgotten asset gives %v", err)
			}
			from, err := tx.SourcesOf(ctx, kept.ID)
			if len(from) != 0 {
				t.Errorf("lineage remembers %v", from)
			}
			return err
		})
	})
}

func TestAnErasedAssetCannotBeSaved(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		a := s.hang(t, s.person(t), 0)
		erase(t, s.DB, a.ID)
		for id, want := range map[musa.AssetID]error{a.ID: musa.ErrGone, musa.NewAssetID(start.Time()): musa.ErrNotFound} {
			a.ID = id
			err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.SaveAsset(ctx, a) })
			if !errors.Is(err, want) {
				t.Errorf("saving gives %v, want %v", err, want)
			}
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			again, err := tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: a.ID})
			if len(again) != 0 {
				t.Errorf("erased %v twice", again)
			}
			return err
		})
	})
}

func TestPagesOfAssets(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		want := map[musa.AssetID]bool{}
		for range 5 {
			want[s.hang(t, owner, 0).ID] = true
		}
		s.hang(t, s.person(t), 0)
		var got []musa.AssetID
		for after := musa.AssetID(""); ; after = got[len(got)-1] {
			var page []db.Asset
			read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				page, err = tx.AssetsOf(ctx, owner, after, 2)
				return err
			})
			if len(page) == 0 {
				break
			}
			got = append(got, ids(page)...)
		}
		for i, id := range got {
			if !want[id] || i > 0 && got[i-1] <= id {
				t.Errorf("pages are %v", got)
			}
		}
		if len(got) != len(want) {
			t.Errorf("pages hold %d assets, want %d", len(got), len(want))
		}
	})
}

func TestABlobThatTheSweepDoomedCannotGoLive(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return tx.InsertBlob(ctx, db.Blob{Name: "b", Asset: "as_1", Role: musa.BlobFull, Created: tx.Now},
				db.Blob{Name: "c", Asset: "as_1", Role: musa.BlobThumb, Created: tx.Now + 1})
		})
		for before, want := range map[musa.Millis]int{start: 0, start + 1: 1, start + 2: 2} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				list, err := tx.BlobsWriting(ctx, before, 10)
				if len(list) != want {
					t.Errorf("begun before %d: %d, want %d", before-start, len(list), want)
				}
				return err
			})
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			may, err := tx.DoomBlob(ctx, "b")
			if !may {
				t.Error("an unfinished write may not be removed")
			}
			return err
		})
		// One doomed blob keeps the others of its draft from going live, too.
		live := func(list ...db.Blob) error {
			return s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.LiveBlob(ctx, list...) })
		}
		b, c := db.Blob{Name: "b", Size: 1}, db.Blob{Name: "c", Size: 5 << 30}
		for _, list := range [][]db.Blob{{b}, {b, c}, {c, b}} {
			if err := live(list...); !errors.Is(err, musa.ErrConflict) {
				t.Errorf("going live gives %v", err)
			}
		}
		if err := live(c); err != nil {
			t.Fatal(err)
		}
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			got, err := tx.Blob(ctx, "c")
			if got.State != musa.BlobLive || got.Size != c.Size {
				t.Errorf("live is %+v", got)
			}
			return err
		})
	})
}

func TestRecordsOfAJob(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		r := db.Record{ID: musa.NewRecordID(start.Time()), Owner: owner, Category: musa.CategoryPrompt, Job: "jo_1", State: musa.AssetActive,
			Created: start, Due: start + 10, PolicyVersion: "1"}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			return tx.InsertRecord(ctx, r, db.Secret{Wrapped: []byte("k"), Sealed: []byte("words")})
		})
		for at, want := range map[musa.Millis]int{start + 9: 0, start + 10: 1} {
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				due, err := tx.DueRecords(ctx, at, 10)
				if len(due) != want {
					t.Errorf("at %d due are %d records, want %d", at-start, len(due), want)
				}
				return err
			})
		}
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			list, err := tx.RecordsOfJob(ctx, "jo_1")
			if err != nil || len(list) != 1 || list[0].Ends != start+10 {
				return fmt.Errorf("records %v: %w", list, err)
			}
			gone, err := tx.EraseRecords(ctx, db.Erasure[musa.RecordID]{Item: r.ID, Receipt: "re_1"})
			if err != nil || len(gone) != 1 {
				return fmt.Errorf("erased %v: %w", gone, err)
			}
			if _, err := tx.Secret(ctx, string(r.ID)); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("its secret gives %v", err)
			}
			n, err := tx.DropTombstones(ctx, start+1, 10)
			if n != 1 {
				t.Errorf("%d records forgotten", n)
			}
			return err
		})
	})
}
