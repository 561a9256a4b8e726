package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/musatest/rigs"
	"musa/queue"
)

func listen(t testing.TB, q *queue.Queue) <-chan queue.Notice {
	t.Helper()
	heard := make(chan queue.Notice, 1000)
	if err := q.Listen(t.Context(), func(n queue.Notice) { heard <- n }); err != nil {
		t.Fatal(err)
	}
	return heard
}

func TestNoticesReachEveryNode(t *testing.T) {
	t.Parallel()
	url := rigs.NATS(t)
	var nodes []*queue.Queue
	var ears []<-chan queue.Notice
	for range 3 {
		q := open(t, queue.Config{URL: url})
		if q.Embedded() {
			t.Error("a queue with a URL says it is embedded")
		}
		nodes, ears = append(nodes, q), append(ears, listen(t, q))
	}
	job, asset := string(newJob()), string(musa.NewAssetID(time.Now()))
	for _, sent := range []queue.Notice{
		{Kind: queue.NoticeCancel, IDs: []string{job}},
		{Kind: queue.NoticeDrop, IDs: []string{asset, job}},
		{Kind: queue.NoticeDue},
	} {
		if err := nodes[0].Broadcast(sent); err != nil {
			t.Fatal(err)
		}
		for i, ear := range ears {
			got := want(t, ear, fmt.Sprintf("notice %s on node %d", sent.Kind, i))
			if got.Kind != sent.Kind || !slices.Equal(got.IDs, sent.IDs) {
				t.Errorf("node %d heard %+v, want %+v", i, got, sent)
			}
		}
	}
}

func TestLongListsArriveWhole(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	ear := listen(t, q)
	var ids []string
	for range 2500 {
		ids = append(ids, string(newJob()))
	}
	if err := q.Broadcast(queue.Notice{Kind: queue.NoticeDrop, IDs: ids}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < len(ids) {
		got = append(got, want(t, ear, "the rest of the list").IDs...)
	}
	if !slices.Equal(got, ids) {
		t.Error("the list changed on its way")
	}
}

func TestSlowListenerHearsThatItMissed(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	goOn, heard := make(chan struct{}), make(chan string, 20000)
	err := q.Listen(t.Context(), func(n queue.Notice) {
		<-goOn
		heard <- n.Kind
	})
	if err != nil {
		t.Fatal(err)
	}
	fast := listen(t, q)
	for range 10000 { // more than a listener's buffer; nobody else is held up
		if err := q.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
			t.Fatal(err)
		}
		want(t, fast, "a notice beside a stuck listener")
	}
	close(goOn)
	for want(t, heard, "word that notices were lost") != queue.NoticeMissed {
	}
}

func TestOnlyIDsAndNumbersAreSent(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	ear := listen(t, q)
	for _, n := range []queue.Notice{
		{Kind: queue.NoticeDrop, IDs: []string{string(newJob()), "portrait of my aunt.png"}},
		{Kind: queue.NoticeDrop, IDs: []string{"ada@example.org"}},
		{Kind: "a prompt with words"},
		{Kind: ""},
		{Kind: "*"},
	} {
		if err := q.Broadcast(n); !errors.Is(err, musa.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", n, err)
		}
	}
	if err := q.Broadcast(queue.Notice{Kind: queue.NoticeDue, IDs: []string{"42"}}); err != nil {
		t.Fatal(err)
	}
	if n := want(t, ear, "the one proper notice"); n.Kind != queue.NoticeDue || !slices.Equal(n.IDs, []string{"42"}) {
		t.Errorf("heard %+v", n)
	}
}

func TestListenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan queue.Notice, 10)
	if err := q.Listen(ctx, func(n queue.Notice) { gone <- n; cancel() }); err != nil {
		t.Fatal(err)
	}
	stays := listen(t, q)
	for range 3 {
		if err := q.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
			t.Fatal(err)
		}
		want(t, stays, "a notice")
	}
	want(t, gone, "the first notice")
	q.Close() // waits for listeners
	if n := len(gone); n > 2 {
		t.Errorf("%d notices after the listener's end", n)
	}
	if err := q.Listen(t.Context(), func(queue.Notice) {}); err == nil {
		t.Error("Listen on a closed queue gives no error")
	}
}
