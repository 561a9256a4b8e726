package bench_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"musa"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/house"
	"musa/musatest/rigs"
)

// The goals of DESIGN name a million. The defaults keep make bench short.
var (
	many     = flag.Int("overdue", 20_000, "assets that are overdue at once, of two blobs each")
	keysOnly = flag.Bool("keys-only", false, "overdue: only rows, and stop when the keys are gone")
	asked    = flag.Int("asked", 20_000, "how many of the overdue are tried to be read")
)

// BenchmarkOverdue lets many assets be overdue at once, tries to read them, runs retention as
// a server does, and reads and writes beside it. Goals for 1,000,000: none is read; keys ≤ 60 s
// (16,700/s), bytes ≤ 10 min (1,670/s); reads p99 ≤ +10 %, writes ≤ 3 x.
func BenchmarkOverdue(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		for b.Loop() {
			b.StopTimer()
			h, dir := strewn(b, s)
			who := person(b, h.DB, h.Keeper.Vault.NewSubject)
			sow(b, h, crop{owner: who.Subject, n: *many, ends: musa.At(time.Now()) - 1000 - musa.Millis(*many/1000)})
			if !*keysOnly {
				strew(b, h, dir)
			}
			unix.Sync()
			b.ReportMetric(float64(readable(b, h, who, min(*many, *asked))), "read-when-due")
			var quiet foreground
			beside(b, h, &quiet, func() { <-time.After(10 * time.Second) })
			b.StartTimer()
			overdueNow(b, h, quiet)
		}
	}, embedded, mixed, scaled)
}

// empty is a store in a folder.
func empty(b *testing.B) (blob.Store, string) {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "blobs")
	store, err := files.New(dir)
	must(b, err)
	return store, dir
}

// overdueNow runs retention until all is purged.
func overdueNow(b *testing.B, h *house.House, quiet foreground) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var wait sync.WaitGroup
	start := time.Now()
	wait.Go(func() {
		if err := h.Keeper.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	defer wait.Wait()
	defer stop()
	var keys, rest foreground
	beside(b, h, &keys, func() {
		until(b, h, "SELECT COUNT(*) FROM (SELECT 1 FROM assets WHERE state = 'active' AND ends > 0 LIMIT 1) AS x", 20*time.Minute)
	})
	b.ReportMetric(float64(*many)/time.Since(start).Seconds(), "keys/s")
	quiet.report(b, "quiet")
	keys.report(b, "keys")
	if *keysOnly {
		return
	}
	beside(b, h, &rest, func() {
		until(b, h, "SELECT COUNT(*) FROM (SELECT 1 FROM assets AS a WHERE state = 'erased' AND EXISTS (SELECT 1 FROM blobs AS b WHERE b.asset = a.id) LIMIT 1) AS x", 40*time.Minute)
		b.ReportMetric(float64(*many)/time.Since(start).Seconds(), "assets-bytes/s")
		until(b, h, "SELECT COUNT(*) FROM (SELECT 1 FROM assets WHERE state = 'erased' LIMIT 1) AS x", 40*time.Minute)
	})
	b.ReportMetric(float64(*many)/time.Since(start).Seconds(), "assets-purged/s")
	rest.report(b, "bytes")
}

// readable tries to open the first n, and counts those that are not refused as gone.
func readable(b *testing.B, h *house.House, who musa.Actor, n int) int {
	b.Helper()
	var got atomic.Int64
	var wait sync.WaitGroup
	for k := range hands {
		wait.Go(func() {
			for i := k; i < n; i += hands {
				if _, err := h.Studio.Content(b.Context(), who, sown(i+1), musa.BlobThumb); !errors.Is(err, musa.ErrGone) {
					got.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return int(got.Load())
}

// strewn is a house, and the folder in which its blobs lie as plain files.
func strewn(b *testing.B, s stores) (*house.House, string) {
	b.Helper()
	if s.blobs == "files" {
		store, dir := empty(b)
		return houseOn(b, openDB(b, s), store), dir
	}
	bucket := rigs.S3(b)
	door := http.DefaultTransport.(*http.Transport).Clone()
	door.MaxIdleConnsPerHost = 32 // as egress has it
	store, err := s3.New(b.Context(), s3.Config{URL: bucket.URL, AccessKey: bucket.AccessKey, SecretKey: bucket.SecretKey, HTTPClient: &http.Client{Transport: door}})
	must(b, err)
	return houseOn(b, openDB(b, s), blob.Store(store)), filepath.Join(bucket.Dir, "objects", bucket.Name)
}

// foreground is how long reads and writes took beside something.
type foreground struct{ reads, writes []time.Duration }

func (f foreground) report(b *testing.B, when string) {
	b.ReportMetric(ms(percentile(f.reads, 50)), "read-p50-ms:"+when)
	b.ReportMetric(ms(percentile(f.reads, 99)), "read-p99-ms:"+when)
	b.ReportMetric(ms(percentile(f.writes, 50)), "write-p50-ms:"+when)
	b.ReportMetric(ms(percentile(f.writes, 99)), "write-p99-ms:"+when)
	b.ReportMetric(ms(percentile(f.writes, 100)), "write-max-ms:"+when)
}

// beside reads a row and enters a blob, a hundred times a second each, while something runs.
func beside(b *testing.B, h *house.House, out *foreground, what func()) {
	b.Helper()
	var (
		wait sync.WaitGroup
		done atomic.Bool
	)
	loop := func(all *[]time.Duration, do func() error) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for !done.Load() {
			start := time.Now()
			if err := do(); err != nil {
				b.Error(err)
				return
			}
			*all = append(*all, time.Since(start))
			<-tick.C
		}
	}
	wait.Go(func() {
		loop(&out.reads, func() error {
			return h.DB.Read(b.Context(), func(ctx context.Context, tx db.Tx) error {
				_, err := tx.AssetWithSecret(ctx, sown(7))
				return err
			})
		})
	})
	wait.Go(func() {
		loop(&out.writes, func() error {
			var raw [16]byte
			rand.Read(raw[:])
			name := "probe/" + hex.EncodeToString(raw[:])
			return h.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
				return tx.InsertBlob(ctx, db.Blob{Name: name, Asset: "as_none", Role: musa.BlobFull, Created: tx.Now})
			})
		})
	})
	what()
	done.Store(true)
	wait.Wait()
}
