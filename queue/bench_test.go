package queue_test

import (
	"context"
	"sync/atomic"
	"testing"

	"musa"
	"musa/musatest/rigs"
	"musa/queue"
)

// BenchmarkJob is a job's whole way: announced, handed out, double acknowledged. One
// is alone in the queue, so ns/op is the time that the queue adds to a job.
func BenchmarkJob(b *testing.B) {
	onBoth(b, func(b *testing.B, q *queue.Queue) {
		got := make(chan queue.Delivery, 1)
		stop := work(b, q, "pictures", 1, into(got))
		for b.Loop() {
			announce(b, q, "pictures", newJob())
			<-got
		}
		stop()
	})
}

// BenchmarkJobs is the same with many at once: throughput.
func BenchmarkJobs(b *testing.B) {
	onBoth(b, func(b *testing.B, q *queue.Queue) {
		ids := make([]musa.JobID, b.N)
		for i := range ids {
			ids[i] = newJob()
		}
		var carried atomic.Int64
		done := make(chan struct{})
		stop := work(b, q, "pictures", 8, func(context.Context, queue.Delivery) error {
			if carried.Add(1) == int64(b.N) {
				close(done)
			}
			return nil
		})
		b.ResetTimer()
		var next atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				announce(b, q, "pictures", ids[next.Add(1)-1])
			}
		})
		<-done
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		stop()
	})
}

// BenchmarkReport is one report of progress, heard by one watcher that keeps up.
func BenchmarkReport(b *testing.B) {
	onBoth(b, func(b *testing.B, q *queue.Queue) {
		id := newJob()
		news, err := q.Watch(b.Context(), id)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			q.Report(queue.Progress{Job: id, State: musa.JobRunning, Done: 1, Total: 2})
			<-news
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	})
}

// BenchmarkOpen is the start of the embedded server.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		q, err := queue.Open(b.Context(), queue.Config{Log: quiet()})
		if err != nil {
			b.Fatal(err)
		}
		q.Close()
	}
}

func onBoth(b *testing.B, f func(*testing.B, *queue.Queue)) {
	b.Run("embedded", func(b *testing.B) { f(b, open(b, queue.Config{})) })
	b.Run("remote", func(b *testing.B) { f(b, open(b, queue.Config{URL: rigs.NATS(b)})) })
}
