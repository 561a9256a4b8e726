package queue

import (
	"context"
	"encoding/json"
	"math"

	"github.com/nats-io/nats.go"

	"musa"
)

// watchBuffer is how far a watcher may fall behind before it loses its oldest news.
const watchBuffer = 16

// Progress is news of a running job: numbers and words of the program, never text of
// a person's.
type Progress struct {
	Job     musa.JobID    `json:"-"` // stands in the subject
	Attempt int           `json:"attempt"`
	State   musa.JobState `json:"state"`
	Done    int           `json:"done"`
	Total   int           `json:"total"`
	Step    string        `json:"step,omitempty"` // one lower-case word; anything else is left out
	Seconds float64       `json:"seconds"`        // left, an estimate
}

// Report tells all watchers of the job, on every node. News is lossy by design: what
// cannot be sent is left out, and the database holds what matters.
func (q *Queue) Report(p Progress) {
	if checkJob(p.Job) != nil || (p.State != "" && !word.MatchString(string(p.State))) {
		q.log.Debug("queue: progress without a proper job or state left out")
		return
	}
	if !word.MatchString(p.Step) {
		p.Step = ""
	}
	if math.IsNaN(p.Seconds) || math.IsInf(p.Seconds, 0) {
		p.Seconds = 0
	}
	body, err := json.Marshal(p)
	if err == nil {
		err = q.nc.Publish(progressSubjects+string(p.Job), body)
	}
	if err != nil {
		q.log.Debug("queue: progress left out", "job", p.Job, "error", err)
	}
}

// Watch hears the job's progress from the moment it returns; read the job's row after
// it, so that nothing falls between. The channel closes when ctx or the queue ends. A
// reader that falls behind loses the oldest news and holds up nobody.
func (q *Queue) Watch(ctx context.Context, id musa.JobID) (<-chan Progress, error) {
	if err := checkJob(id); err != nil {
		return nil, err
	}
	sub, err := q.nc.SubscribeSync(progressSubjects + string(id))
	if err != nil {
		return nil, unreachable(err)
	}
	news := make(chan Progress, watchBuffer)
	err = q.settle(ctx)
	if err == nil {
		err = q.started(func() { q.relay(ctx, id, sub, news) })
	}
	if err != nil {
		q.drop(sub)
		return nil, err
	}
	return news, nil
}

func (q *Queue) relay(ctx context.Context, id musa.JobID, sub *nats.Subscription, news chan Progress) {
	defer close(news)
	defer q.drop(sub)
	ctx, release := q.within(ctx)
	defer release()
	for {
		msg, err := sub.NextMsgWithContext(ctx)
		switch {
		case ctx.Err() != nil || !sub.IsValid():
			return
		case err != nil: // a slow consumer: news was lost, more will come
			continue
		}
		var p Progress
		if json.Unmarshal(msg.Data, &p) != nil {
			continue
		}
		p.Job = id
		push(news, p)
	}
}

// push never blocks: this goroutine is the only writer, so one place freed is enough.
func push(news chan Progress, p Progress) {
	select {
	case news <- p:
		return
	default:
	}
	select {
	case <-news:
	default:
	}
	select {
	case news <- p:
	default:
	}
}

// drop ends a subscription; on a lost connection it is gone already.
func (q *Queue) drop(sub *nats.Subscription) {
	if err := sub.Unsubscribe(); err != nil {
		q.log.Debug("queue: unsubscribe", "error", err)
	}
}
