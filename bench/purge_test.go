package bench_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"musa"
	"musa/db"
	"musa/house"
	"musa/policy"
	"musa/vault"
)

var (
	living  = flag.Int("live", 20_000, "assets that are alive, where that counts")
	seconds = flag.Int("seconds", 10, "how long assets come due one by one")
)

const (
	overdue  = 2000 // assets, of two blobs each, that come due in one instant
	stream   = 100  // assets a second that come due one by one
	fullSize = 32 << 10
	tiny     = 4 << 10
)

// BenchmarkPurge lets 2,000 assets come due at once and has retention deal with them: keys,
// bytes, scrub, proof and receipts. The goals are set for 1,000,000: keys ≤ 60 s (16,700/s),
// bytes ≤ 10 min (1,670 assets/s). On files, bare-files/s is how many files of a full part's
// size this disk unlinks in a second without any sync: half of it, for assets have two, is
// the limit of what can be reached here.
func BenchmarkPurge(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h := newHouse(b, s)
		for b.Loop() {
			b.StopTimer()
			list := fill(b, h, overdue)
			began := musa.At(time.Now())
			due(b, h, list, func(int) musa.Millis { return began })
			b.StartTimer()
			start := time.Now()
			gone := bytesGone(b, h)
			must(b, h.Keeper.Step(b.Context()))
			took := time.Since(start)
			keys := lateness(b, h, list, func(a db.Asset) musa.Millis { return a.Erased })
			b.ReportMetric(overdue/percentile(keys, 100).Seconds(), "keys/s")
			b.ReportMetric(overdue/(<-gone).Sub(start).Seconds(), "assets-bytes/s")
			b.ReportMetric(overdue/took.Seconds(), "assets-step/s")
			if s == embedded {
				b.StopTimer()
				b.ReportMetric(unlinked(b), "bare-files/s")
				b.StartTimer()
			}
		}
	}, embedded, scaled)
}

// BenchmarkDue lets 100 assets a second come due while retention runs, among many that live. Goals, p99: key ≤ 5 s,
// bytes ≤ 60 s after the due time. An asset counts as gone when it is purged: bytes away,
// database scrubbed, nothing found by proof, receipt written.
func BenchmarkDue(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h := newHouse(b, s)
		sow(b, h, crop{owner: person(b, h.DB, h.Keeper.Vault.NewSubject).Subject, n: *living})
		for b.Loop() {
			list := fill(b, h, stream**seconds)
			first := musa.At(time.Now()) + 1000
			due(b, h, list, func(i int) musa.Millis { return first + musa.Millis(i*1000/stream) })
			ctx, stop := context.WithCancel(b.Context())
			var wait sync.WaitGroup
			wait.Go(func() {
				if err := h.Keeper.Run(ctx); err != nil {
					b.Error(err)
				}
			})
			until(b, h, "SELECT (SELECT COUNT(*) FROM assets WHERE state = 'active' AND ends > 0) + (SELECT COUNT(*) FROM assets WHERE state = 'erased')",
				time.Duration(*seconds)*time.Second+2*time.Minute)
			stop()
			wait.Wait()
			keys := lateness(b, h, list, func(a db.Asset) musa.Millis { return a.Erased })
			gone := lateness(b, h, list, func(a db.Asset) musa.Millis { return a.Purged })
			b.ReportMetric(ms(percentile(keys, 99)), "key-p99-ms")
			b.ReportMetric(ms(percentile(gone, 50)), "purged-p50-ms")
			b.ReportMetric(ms(percentile(gone, 99)), "purged-p99-ms")
		}
	}, embedded, mixed, scaled)
}

// fill seals assets as the runner does, without an end.
func fill(b *testing.B, h *house.House, n int) []db.Asset {
	b.Helper()
	who := person(b, h.DB, h.Keeper.Vault.NewSubject)
	all := make([]db.Asset, n)
	drafts := make([]*vault.Draft, n)
	var wait sync.WaitGroup
	for k := range hands {
		wait.Go(func() {
			for i := k; i < n; i += hands {
				var err error
				all[i] = db.Asset{ID: musa.NewAssetID(time.Now()), Owner: who.Subject, Author: who.Subject, Category: musa.CategoryOutput,
					State: musa.AssetActive, Tier: who.Tier, Created: musa.At(time.Now())}
				if drafts[i], err = closed(b.Context(), h, who, all[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	if b.Failed() {
		b.FailNow()
	}
	for i := 0; i < n; i += 100 {
		must(b, h.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
			for k := i; k < min(i+100, n); k++ {
				secret, err := drafts[k].Keep(ctx, tx, map[string]int{"width": 512})
				if err != nil {
					return err
				}
				if err := tx.InsertAsset(ctx, all[k], secret); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return all
}

func closed(ctx context.Context, h *house.House, by musa.Actor, a db.Asset) (*vault.Draft, error) {
	item := policy.Item{ID: string(a.ID), Owner: a.Owner, Category: a.Category, Tier: a.Tier, Created: a.Created, New: true}
	grant := h.Policy.Decide(policy.Facts{Now: a.Created, Actor: musa.Actor{Subject: by.Subject, Tier: by.Tier, Role: musa.RoleSystem},
		Purpose: musa.PurposeGenerate, Item: item})
	return h.Keeper.Vault.Seal(ctx, grant, a, []vault.Part{
		{Role: musa.BlobFull, Data: bytes.NewReader(random(fullSize))},
		{Role: musa.BlobThumb, Data: bytes.NewReader(random(tiny))},
	})
}

// due gives the assets their ends, in one transaction.
func due(b *testing.B, h *house.House, list []db.Asset, at func(i int) musa.Millis) {
	b.Helper()
	must(b, h.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
		for i := range list {
			list[i].Due = at(i)
			list[i].Ends, list[i].Reason, list[i].Rule = list[i].Due, musa.EndPolicy, "bench"
			if err := tx.SaveAsset(ctx, list[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

// lateness is how long after its end something was done to each asset.
func lateness(b *testing.B, h *house.House, list []db.Asset, done func(db.Asset) musa.Millis) []time.Duration {
	b.Helper()
	var all []time.Duration
	for _, a := range list {
		must(b, h.DB.Read(b.Context(), func(ctx context.Context, tx db.Tx) error {
			now, err := tx.Asset(ctx, a.ID)
			if err != nil {
				return err
			}
			at := done(now)
			if at < a.Ends {
				b.Fatalf("asset %s is %s", a.ID, now.State)
			}
			all = append(all, at.Time().Sub(a.Ends.Time()))
			return nil
		}))
	}
	return all
}

// bytesGone tells when no blob is left.
func bytesGone(b *testing.B, h *house.House) <-chan time.Time {
	gone := make(chan time.Time, 1)
	go func() {
		until(b, h, "SELECT COUNT(*) FROM blobs", 2*time.Minute)
		gone <- time.Now()
	}()
	return gone
}

// unlinked makes files and takes them away again, and tells how many went in a second.
func unlinked(b *testing.B) float64 {
	b.Helper()
	const n = 500
	dir, data := b.TempDir(), random(fullSize)
	name := func(i int) string { return filepath.Join(dir, strconv.Itoa(i)) }
	for i := range n {
		must(b, os.WriteFile(name(i), data, 0o600))
	}
	unix.Sync()
	return n / timed(func() {
		for i := range n {
			must(b, os.Remove(name(i)))
		}
	}).Seconds()
}

// until asks until a count is zero.
func until(b *testing.B, h *house.House, query string, limit time.Duration) {
	again, late := time.NewTicker(200*time.Millisecond), time.NewTimer(limit)
	defer again.Stop()
	defer late.Stop()
	for {
		var left int
		if err := h.DB.SQL().QueryRowContext(b.Context(), query).Scan(&left); err != nil {
			b.Error(err)
			return
		}
		if left == 0 {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			b.Errorf("%d rows are left", left)
			return
		}
	}
}
