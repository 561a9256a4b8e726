package pix

import (
	"context"
	"runtime"
	"sync"
)

// strips gives out the rows of a picture in strips to as many workers as a pipeline may
// have, and returns when none works any more: with the first error, or the context's
// cause if that ended first.
func strips(ctx context.Context, height, rows int, work func(top, rows int) error) error {
	var (
		mu  sync.Mutex // guards top and err
		top int
		err error
		all sync.WaitGroup
	)
	take := func() (from, n int) {
		mu.Lock()
		defer mu.Unlock()
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil || top >= height {
			return 0, 0
		}
		from, n = top, min(rows, height-top)
		top += n
		return from, n
	}
	for range min(threads(), (height+rows-1)/rows) {
		all.Go(func() {
			for from, n := take(); n > 0; from, n = take() {
				if failed := work(from, n); failed != nil {
					mu.Lock()
					err = failed
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return err
}

func threads() int {
	library.Lock()
	defer library.Unlock()
	if library.threads > 0 {
		return library.threads
	}
	return runtime.GOMAXPROCS(0)
}
