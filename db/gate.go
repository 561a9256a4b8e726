package db

import (
	"context"
	"slices"
	"sync"
	"time"
)

// choreWait is how long a chore lets others go first.
const choreWait = time.Second

// gate hands on SQLite's one writer: to people first, in the order in which they came, and
// to chores when nobody else waits.
type gate struct {
	mu     sync.Mutex // guards all below
	taken  bool
	people []chan struct{}
	chores []chan struct{}
}

// enter waits for the writer. The caller leaves when done.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.people = append(g.people, turn)
	g.mu.Unlock()
	return g.wait(ctx, turn)
}

// enterLast waits as a chore does. After choreWait it stands in line with everybody.
func (g *gate) enterLast(ctx context.Context) error {
	g.mu.Lock()
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.chores = append(g.chores, turn)
	g.mu.Unlock()
	patience := time.AfterFunc(choreWait, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if i := slices.Index(g.chores, turn); i >= 0 {
			g.chores = slices.Delete(g.chores, i, i+1)
			g.people = append(g.people, turn)
		}
	})
	defer patience.Stop()
	return g.wait(ctx, turn)
}

func (g *gate) wait(ctx context.Context, turn chan struct{}) error {
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	waiting := len(g.people) + len(g.chores)
	same := func(c chan struct{}) bool { return c == turn }
	g.people, g.chores = slices.DeleteFunc(g.people, same), slices.DeleteFunc(g.chores, same)
	mine := len(g.people)+len(g.chores) == waiting // it was handed over in this moment
	g.mu.Unlock()
	if mine {
		g.leave()
	}
	return ctx.Err()
}

// awaited says that people wait for the writer.
func (g *gate) awaited() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.people) > 0
}

// leave hands the writer to the next.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range []*[]chan struct{}{&g.people, &g.chores} {
		if len(*line) > 0 {
			next := (*line)[0]
			*line = slices.Delete(*line, 0, 1)
			close(next)
			return
		}
	}
	g.taken = false
}
