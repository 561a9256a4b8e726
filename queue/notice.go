package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"musa"
)

// The kinds of notice. Callers may add words of their own.
const (
	NoticeCancel = "cancel" // IDs of jobs to stop
	NoticeDrop   = "drop"   // IDs of assets or subjects whose keys leave every cache
	NoticeDue    = "due"    // something became due: look now
	// NoticeRefill comes from the queue itself: the server forgot the announced jobs;
	// announce again what waits in the database.
	NoticeRefill = "refill"
	// NoticeMissed comes from the queue itself, to this node alone: notices may have
	// been lost, a refill among them. Drop every cached key, look up which jobs were
	// cancelled, announce again what waits.
	NoticeMissed = "missed"
)

const (
	noticeChunk  = 1000 // ids per message: about 30 KiB
	noticeBuffer = 4096
)

// Notice is word to every node, also to the one that sends it.
type Notice struct {
	Kind string
	IDs  []string // of any noun, or decimal numbers; may be empty
}

type listener struct {
	sub    *nats.Subscription
	wire   chan *nats.Msg
	missed chan struct{} // holds one mark
}

func (l *listener) miss() {
	select {
	case l.missed <- struct{}{}:
	default:
	}
}

// Broadcast sends the notice to every node's listeners. It returns once the message is
// on its way, in parts if the list is long. What is neither an id nor a number is
// refused with musa.ErrInvalid, and nothing is sent. Without a connection it returns
// musa.ErrUnavailable; nodes hear NoticeMissed when they are connected again.
func (q *Queue) Broadcast(n Notice) error {
	if !word.MatchString(n.Kind) {
		return fmt.Errorf("queue: kind of notice is not a lower-case word: %w", musa.ErrInvalid)
	}
	for i, id := range n.IDs {
		if !ident.MatchString(id) {
			return fmt.Errorf("queue: notice %s, entry %d is neither id nor number: %w", n.Kind, i, musa.ErrInvalid)
		}
	}
	if !q.nc.IsConnected() {
		return unreachable(nats.ErrDisconnected)
	}
	if len(n.IDs) == 0 {
		return q.send(n.Kind, []string{})
	}
	for chunk := range slices.Chunk(n.IDs, noticeChunk) {
		if err := q.send(n.Kind, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) send(kind string, ids []string) error {
	body, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode notice %s: %w", kind, err)
	}
	if err := q.nc.Publish(noticeSubjects+kind, body); err != nil {
		return unreachable(err)
	}
	return nil
}

// Listen hears every notice from the moment it returns until ctx or the queue ends.
// hear is called by one goroutine, in the order of arrival; it should be quick. If it
// is so slow that notices are lost, or the connection was, it hears NoticeMissed.
func (q *Queue) Listen(ctx context.Context, hear func(Notice)) error {
	l := &listener{wire: make(chan *nats.Msg, noticeBuffer), missed: make(chan struct{}, 1)}
	sub, err := q.nc.ChanSubscribe(noticeSubjects+"*", l.wire)
	if err != nil {
		return unreachable(err)
	}
	l.sub = sub
	q.mu.Lock()
	q.listeners[l] = struct{}{}
	q.mu.Unlock()
	err = q.settle(ctx)
	if err == nil {
		err = q.started(func() { q.deliver(ctx, l, hear) })
	}
	if err != nil {
		q.forget(l)
	}
	return err
}

func (q *Queue) deliver(ctx context.Context, l *listener, hear func(Notice)) {
	defer q.forget(l)
	ctx, release := q.within(ctx)
	defer release()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.missed:
			hear(Notice{Kind: NoticeMissed})
		case msg := <-l.wire:
			n := Notice{Kind: strings.TrimPrefix(msg.Subject, noticeSubjects)}
			if json.Unmarshal(msg.Data, &n.IDs) != nil {
				continue
			}
			hear(n)
		}
	}
}

func (q *Queue) forget(l *listener) {
	q.mu.Lock()
	delete(q.listeners, l)
	q.mu.Unlock()
	q.drop(l.sub)
}
