package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"musa"
)

// maxDoublings bounds the rest of a job that fails again and again.
const maxDoublings = 5

// Delivery is one handing out of a job.
type Delivery struct {
	Job         musa.JobID
	Redelivered bool // another runner had it before, and died or gave it back
}

// Work hands jobs of the lane to carry until ctx ends, at most width at once, and
// takes no job that it cannot start at once. While carry runs its claim is renewed.
// If carry returns nil the job is done with; an error gives it back after RetryDelay,
// or at once when ctx ended. carry's context ends with ctx.
//
// Work blocks until all carries have returned. A server that goes away or forgets its
// streams is waited for. It returns nil when ctx ended, ErrClosed when the queue was
// closed, musa.ErrInvalid for a malformed lane or width.
func (q *Queue) Work(ctx context.Context, lane string, width int, carry func(ctx context.Context, d Delivery) error) error {
	if err := checkLane(lane); err != nil {
		return err
	}
	if width < 1 {
		return fmt.Errorf("queue: width %d of lane %s is less than one: %w", width, lane, musa.ErrInvalid)
	}
	w := &worker{q: q, lane: lane, carry: carry, slots: make(chan struct{}, width)}
	defer w.running.Wait()
	complained := false
	for ctx.Err() == nil && q.ctx.Err() == nil {
		err := w.pull(ctx)
		if err == nil || ctx.Err() != nil {
			complained = false
			continue
		}
		if !complained {
			q.log.Warn("queue: lane interrupted, trying again", "lane", lane, "error", err)
			complained = true
		}
		pause, cancel := q.round(ctx)
		rest(pause, 500*time.Millisecond)
		cancel()
	}
	if ctx.Err() == nil {
		return ErrClosed
	}
	return nil
}

type worker struct {
	q       *Queue
	lane    string
	carry   func(context.Context, Delivery) error
	slots   chan struct{} // one entry per running carry
	running sync.WaitGroup
}

// pull takes jobs until the round ends (nil) or the lane is lost (the error).
func (w *worker) pull(ctx context.Context) error {
	round, endRound := w.q.round(ctx)
	defer endRound()
	consumer, err := w.q.consumer(round, w.lane)
	if err != nil {
		if round.Err() != nil {
			return nil
		}
		return err
	}
	// One message per request: a message that waits in our memory for a slot would
	// lose its claim while other runners idle.
	p, err := newPuller(w.q.nc, consumer)
	if err != nil {
		return err
	}
	defer func() {
		if msg := p.close(); msg != nil {
			w.settle(msg, msg.Nak())
		}
	}()
	for {
		select {
		case w.slots <- struct{}{}:
		case <-round.Done():
			return nil
		}
		msg, err := p.next(round)
		if err != nil {
			<-w.slots
			if round.Err() != nil {
				return nil
			}
			return err
		}
		w.running.Go(func() {
			defer func() { <-w.slots }()
			w.hold(ctx, msg)
		})
	}
}

// hold carries one job and keeps its claim alive meanwhile.
func (w *worker) hold(ctx context.Context, msg *nats.Msg) {
	d, err := delivery(msg)
	if err != nil {
		// Not sent by us: no runner could carry it, so it must not come back.
		w.settle(msg, errors.Join(err, msg.Term()))
		return
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var renewal sync.WaitGroup
	renewal.Go(func() { w.renew(renewing, msg) })
	err = w.carry(ctx, d)
	stop()
	renewal.Wait()

	if err != nil && ctx.Err() == nil {
		w.q.log.Warn("job goes back to the queue", "job", d.Job, "err", err)
	}
	switch {
	case err == nil:
		acked, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWait)
		defer cancel()
		err = msg.AckSync(nats.Context(acked))
	case ctx.Err() != nil:
		err = msg.Nak()
	default:
		err = msg.NakWithDelay(w.delay(msg))
	}
	w.settle(msg, err)
}

// renew speaks up for the job thrice per AckWait.
func (w *worker) renew(ctx context.Context, msg *nats.Msg) {
	ticker := time.NewTicker(w.q.ackWait / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := msg.InProgress(); err != nil {
				w.q.log.Debug("queue: claim not renewed", "lane", w.lane, "error", err)
			}
		}
	}
}

func (w *worker) delay(msg *nats.Msg) time.Duration {
	doublings := 0
	if meta, err := msg.Metadata(); err == nil && meta.NumDelivered > 1 {
		doublings = int(min(meta.NumDelivered-1, maxDoublings))
	}
	return w.q.retryDelay << doublings
}

// settle logs an answer that did not reach the server. The job will come again and
// the database's attempt keeps it from being done twice, so nobody can act on it.
func (w *worker) settle(msg *nats.Msg, err error) {
	if err != nil {
		d, _ := delivery(msg) // no id of a message that is not ours
		w.q.log.Warn("queue: answer to the server lost", "lane", w.lane, "job", d.Job, "error", err)
	}
}

func delivery(msg *nats.Msg) (Delivery, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery: %w", err)
	}
	subject := msg.Subject
	id, err := musa.ParseJobID(subject[strings.LastIndexByte(subject, '.')+1:])
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery: %w", err)
	}
	return Delivery{Job: id, Redelivered: meta.NumDelivered > 1}, nil
}
