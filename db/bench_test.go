package db_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"musa"
	"musa/audit"
	"musa/db"
)

// each runs a benchmark on both databases.
func each(b *testing.B, bench func(b *testing.B, s *store)) {
	for _, d := range both {
		b.Run(d, func(b *testing.B) { bench(b, open(b, d)) })
	}
}

// The hot path of every open: one asset, its secret and its owner's key.
func BenchmarkAssetWithSecret(b *testing.B) {
	each(b, func(b *testing.B, s *store) {
		h := &hoard{store: s, owner: s.person(b), bytes: map[musa.AssetID][][]byte{}}
		h.fill(b, 5000)
		b.ResetTimer()
		for i := 0; b.Loop(); i++ {
			read(b, s.DB, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.AssetWithSecret(ctx, h.order[i*7919%len(h.order)])
				return err
			})
		}
	})
}

// Erasing what is due, 500 a transaction; the figure that counts is assets/s.
func BenchmarkDueAssets(b *testing.B) {
	const batch = 500
	each(b, func(b *testing.B, s *store) {
		owner := s.person(b)
		for b.Loop() {
			b.StopTimer()
			write(b, s.DB, func(ctx context.Context, tx db.Tx) error {
				for range batch {
					if err := tx.InsertAsset(ctx, picture(owner, start), db.Secret{Wrapped: random(60), Sealed: random(200)}); err != nil {
						return err
					}
				}
				return nil
			})
			b.StartTimer()
			write(b, s.DB, func(ctx context.Context, tx db.Tx) error {
				due, err := tx.DueAssets(ctx, start, batch)
				if err != nil {
					return err
				}
				list := make([]db.Erasure[musa.AssetID], len(due))
				for i, id := range due {
					list[i] = db.Erasure[musa.AssetID]{Item: id, Receipt: "re_1"}
				}
				_, err = tx.EraseAssets(ctx, list...)
				return err
			})
		}
		b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "assets/s")
	})
}

// Scrub after erasing one item, and after a batch that touches every partition.
func BenchmarkScrub(b *testing.B) {
	for _, n := range []int{1, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			each(b, func(b *testing.B, s *store) {
				h := &hoard{store: s, owner: s.person(b), bytes: map[musa.AssetID][][]byte{}}
				h.fill(b, 5000)
				for b.Loop() {
					b.StopTimer()
					h.fill(b, 1000)
					var dirty []string
					for _, id := range h.order[:n] {
						dirty = append(dirty, string(id))
					}
					erase(b, s.DB, h.order[:n]...)
					h.order = h.order[n:]
					b.StartTimer()
					s.scrubbed(b, dirty)
				}
			})
		})
	}
}

// A hold and a capture, each a durable transaction, by eight people at once; beside it
// the same number of bare commits of one row.
func BenchmarkLedger(b *testing.B) {
	const people = 8
	run := func(b *testing.B, s *store, one func(ctx context.Context, tx db.Tx, who musa.SubjectID, n int64) error) {
		var owners []musa.SubjectID
		for range people {
			who := s.person(b)
			write(b, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.Grant(ctx, who, 1<<40) })
			owners = append(owners, who)
		}
		var left atomic.Int64
		left.Store(int64(b.N))
		b.ResetTimer()
		var wait sync.WaitGroup
		for _, who := range owners {
			wait.Go(func() {
				for {
					n := left.Add(-1)
					if n < 0 {
						return
					}
					write(b, s.DB, func(ctx context.Context, tx db.Tx) error { return one(ctx, tx, who, n) })
				}
			})
		}
		wait.Wait()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	}
	b.Run("hold", func(b *testing.B) {
		each(b, func(b *testing.B, s *store) {
			run(b, s, func(ctx context.Context, tx db.Tx, who musa.SubjectID, n int64) error {
				return tx.Hold(ctx, who, musa.JobID(fmt.Sprint("jo_", n)), 1)
			})
		})
	})
	b.Run("bare", func(b *testing.B) {
		each(b, func(b *testing.B, s *store) {
			run(b, s, func(ctx context.Context, tx db.Tx, who musa.SubjectID, n int64) error {
				return tx.TouchSubject(ctx, who)
			})
		})
	})
}

// Receipts into the log, 5,000 a transaction.
func BenchmarkSequenceReceipts(b *testing.B) {
	const batch = 5000
	each(b, func(b *testing.B, s *store) {
		by, _ := signer(b)
		for b.Loop() {
			b.StopTimer()
			list := make([]db.Receipt, batch)
			for i := range list {
				leaf := audit.Leaf(audit.Salt(random(32)), []byte("statement"))
				list[i] = db.Receipt{ID: musa.NewReceiptID(start.Time()), Leaf: leaf[:]}
			}
			write(b, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertReceipts(ctx, list...) })
			b.StartTimer()
			write(b, s.DB, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.SequenceReceipts(ctx, batch, by)
				return err
			})
		}
		b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "receipts/s")
	})
}
