package db_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
)

// The lags of a million rows are read from an index alone.
func TestLagsReadNoRows(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	rows, err := s.outside(t).Query(`EXPLAIN QUERY PLAN SELECT purged, erased, ends FROM assets WHERE state = 'purged' AND purged >= 1 AND purged < 2`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(line)
	}
	if err := rows.Err(); err != nil || !strings.Contains(plan.String(), "COVERING INDEX assets_tombstones") {
		t.Errorf("plan %q: %v", plan.String(), err)
	}
}

func TestLags(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		a := s.hang(t, owner, start.Add(time.Hour))
		s.turn(start.Add(time.Hour + 1234*time.Millisecond))
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: a.ID})
			return err
		})
		end := start.Add(time.Hour)
		purged := end.Add(61100 * time.Millisecond)
		s.turn(purged)
		want := func(erased int, at musa.Millis, lags ...db.Lag) {
			t.Helper()
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				n, err := tx.ErasedAssets(ctx, start)
				if err != nil || n != erased {
					t.Errorf("%d erased, want %d: %v", n, erased, err)
				}
				found, next, err := tx.Lags(ctx, db.LagPage{From: at, Slot: 1000, Limit: 10})
				if err != nil || next != 0 || len(found) != len(lags) || len(lags) > 0 && found[0] != lags[0] {
					t.Errorf("lags %v and more from %d, want %v: %v", found, next, lags, err)
				}
				later, _, err := tx.Lags(ctx, db.LagPage{From: purged + 1, Slot: 1000, Limit: 10})
				if err != nil || len(later) > 0 {
					t.Errorf("lags afterwards: %v, %v", later, err)
				}
				return nil
			})
		}
		want(1, start)
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.PurgeAssets(ctx, a.ID)
			return err
		})
		want(0, purged, db.Lag{Slot: purged / 1000 * 1000, Key: 1300, Purge: 62000, Assets: 1})
	})
}

func TestBackupTimes(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		want := func(times db.BackupTimes) {
			t.Helper()
			read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				if got, err := tx.BackupTimes(ctx); err != nil || got != times {
					t.Errorf("times %+v, want %+v: %v", got, times, err)
				}
				return nil
			})
		}
		want(db.BackupTimes{})
		s.tamper(t, `INSERT INTO backups (id, started, finished, row_count, blob_count, bytes, rehearsed, code) VALUES
			('bk_1', 100, 110, 1, 1, 1, 150, ''), ('bk_2', 200, 210, 1, 1, 1, 0, ''), ('bk_3', 300, 0, 1, 1, 1, 0, ''), ('bk_4', 400, 410, 1, 1, 1, 0, 'target')`)
		want(db.BackupTimes{Finished: 200, Rehearsed: 150})
	})
}

// Pages of lags hold every asset once, also those whose bytes went in the same millisecond.
func TestPagesOfLags(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		const each = 4
		for i := range 3 {
			s.turn(start.Add(time.Duration(i) * time.Second))
			var ids []musa.AssetID
			for range each {
				ids = append(ids, s.hang(t, owner, start).ID)
			}
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				for _, id := range ids {
					if _, err := tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: id}); err != nil {
						return err
					}
				}
				_, err := tx.PurgeAssets(ctx, ids...)
				return err
			})
		}
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			for limit := range 3 * each {
				n, pages := 0, 0
				for at := start; at > 0; pages++ {
					list, next, err := tx.Lags(ctx, db.LagPage{From: at, Slot: 1000, Limit: limit})
					if err != nil {
						return err
					}
					for _, l := range list {
						n += l.Assets
					}
					at = next
				}
				if n != 3*each || pages > 4 {
					t.Errorf("pages of %d: %d assets in %d pages, want %d", limit, n, pages, 3*each)
				}
			}
			return nil
		})
	})
}
