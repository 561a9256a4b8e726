package bench_test

import (
	"flag"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"musa/backup"
	"musa/blob/files"
	"musa/house"
)

var copied = flag.Int("copied", 2_000, "assets in a backup, of two blobs each")

// BenchmarkBackup copies a store into a folder, and restores it into an empty one. No goal is
// set; a second copy says what one costs when little has changed.
func BenchmarkBackup(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		for b.Loop() {
			b.StopTimer()
			h, dir := strewn(b, s)
			sow(b, h, crop{owner: person(b, h.DB, h.Keeper.Vault.NewSubject).Subject, n: *copied})
			strew(b, h, dir)
			target, err := files.New(filepath.Join(b.TempDir(), "target"))
			must(b, err)
			a := backup.New(backup.Config{DB: h.DB, Blobs: h.Blobs, Target: target, Keys: h.Keys, Policy: h.InForce, Clock: time.Now, Log: h.Log, Node: h.Node})
			r := backup.Restore{Target: target, DB: openDB(b, s), Keys: h.Keys, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Versions: house.VersionsOf}
			r.Blobs, _ = empty(b)
			b.StartTimer()
			for _, what := range []string{"copy-s", "copy-again-s"} {
				b.ReportMetric(timed(func() {
					_, err := a.Make(b.Context())
					must(b, err)
				}).Seconds(), what)
			}
			b.ReportMetric(timed(func() {
				out, err := r.Run(b.Context())
				must(b, err)
				if len(out.Faults) > 0 {
					b.Fatalf("%d faults, the first %+v", len(out.Faults), out.Faults[0])
				}
			}).Seconds(), "restore-s")
		}
	}, embedded, mixed)
}
