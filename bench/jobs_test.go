package bench_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/house"
	"musa/queue"
	"musa/studio"
)

const (
	people  = 16 // who order at once
	orders  = 20 // of each, in one round
	hands   = 8  // jobs that the node carries at once
	aloneIn = 150
)

// BenchmarkJobs is what the house adds to work: orders by 16 people through studio, ledger,
// queue, runner and vault with an engine that does nothing. Its peer are the three
// transactions of a job alone, on a database of the same kind. Goal: x-bare ≥ 0.5.
func BenchmarkJobs(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h := newShop(b, s, people)
		bare := newBare(b, s, people)
		var ours, theirs time.Duration
		jobs := 0
		for b.Loop() {
			for range rounds {
				theirs += bare.round(b)
				ours += h.round(b)
				jobs += people * orders
			}
		}
		b.ReportMetric(float64(jobs)/ours.Seconds(), "jobs/s")
		b.ReportMetric(float64(jobs)/theirs.Seconds(), "bare-jobs/s")
		b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-bare")
	}, embedded, mixed)
}

// BenchmarkJobAlone is one job at a time, from the order to the word that it ended. Goal:
// p50 ≤ 5 ms.
func BenchmarkJobAlone(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h := newShop(b, s, 1)
		var all []time.Duration
		for b.Loop() {
			for range aloneIn {
				began := time.Now()
				h.order(b, h.people[0])
				h.await(b, 1)
				all = append(all, time.Since(began))
			}
		}
		b.ReportMetric(ms(percentile(all, 50)), "p50-ms")
		b.ReportMetric(ms(percentile(all, 99)), "p99-ms")
	}, embedded, mixed, scaled)
}

// shop is a running studio with people who have a picture each.
type shop struct {
	*house.House
	people []customer
	ended  chan struct{}
}

type customer struct {
	by      musa.Actor
	picture musa.AssetID
}

func newShop(b *testing.B, s stores, n int) *shop {
	b.Helper()
	h := &shop{House: newHouse(b, s), ended: make(chan struct{}, 1<<16)}
	running(b, h.Runner.Run)
	// The end of each job is announced to retention: that is heard here, too.
	must(b, h.Queue.Listen(b.Context(), func(n queue.Notice) {
		if n.Kind == queue.NoticeDue {
			h.ended <- struct{}{}
		}
	}))
	data := small(b)
	for range n {
		by := person(b, h.DB, h.Keeper.Vault.NewSubject)
		a, err := h.Studio.Admit(b.Context(), by, studio.Upload{Name: "picture.png", Save: true, Body: bytes.NewReader(data)})
		must(b, err)
		h.people = append(h.people, customer{by, a.ID})
	}
	return h
}

func (h *shop) order(b *testing.B, c customer) {
	_, err := h.Studio.Order(b.Context(), c.by, studio.Order{Kind: musa.KindEnhance, Inputs: []musa.AssetID{c.picture}})
	if err != nil {
		b.Error(err)
	}
}

// await waits until n more jobs have ended.
func (h *shop) await(b *testing.B, n int) {
	b.Helper()
	late := time.NewTimer(2 * time.Minute)
	defer late.Stop()
	for range n {
		select {
		case <-h.ended:
		case <-late.C:
			b.Fatal("jobs do not end")
		}
	}
}

// round has every person order their jobs one after the other, and waits for the last end.
func (h *shop) round(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	var wait sync.WaitGroup
	for _, c := range h.people {
		wait.Go(func() {
			for range orders {
				h.order(b, c)
			}
		})
	}
	wait.Wait()
	h.await(b, people*orders)
	took := time.Since(began)
	h.succeeded(b)
	return took
}

// succeeded fails the benchmark when a job ended otherwise.
func (h *shop) succeeded(b *testing.B) {
	b.Helper()
	var bad int
	must(b, h.DB.SQL().QueryRowContext(b.Context(), "SELECT COUNT(*) FROM jobs WHERE state <> 'succeeded'").Scan(&bad))
	if bad > 0 {
		b.Fatalf("%d jobs did not succeed", bad)
	}
}

// round does the same with the bare transactions.
func (s *bareShop) round(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	var wait sync.WaitGroup
	for _, c := range s.people {
		wait.Go(func() {
			for range orders {
				if err := s.job(b.Context(), c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return time.Since(began)
}

func (s *bareShop) job(ctx context.Context, c customer) error {
	id := musa.NewJobID(time.Now())
	for _, step := range []func(context.Context, db.Tx, customer, musa.JobID) error{s.admit, s.claim, s.finish} {
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return step(ctx, tx, c, id) }); err != nil {
			return err
		}
	}
	return nil
}
