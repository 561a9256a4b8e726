package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"musa"
	"musa/blob"
)

func comesBack(t *testing.T, rig Rig) {
	s := rig.Store
	for i, size := range []int{0, 1, 64 << 10, 8 << 20, 16 << 20, big} {
		name, content := fmt.Sprintf("as_%d/full", i), Noise(byte(i), size)
		Put(t, s, name, content)
		if got := Get(t, s, name, 0, -1); !bytes.Equal(got, content) {
			t.Fatalf("%d bytes came back as %d others", size, len(got))
		}
		info, err := s.Stat(t.Context(), name)
		if err != nil || info.Name != name || info.Size != int64(size) || info.Partial || time.Since(info.Modified).Abs() > time.Hour {
			t.Fatalf("stat: %+v, %v", info, err)
		}
		if listed := Names(t, s, name)[name]; listed.Size != int64(size) || listed.Partial || time.Since(listed.Modified).Abs() > time.Hour {
			t.Fatalf("listed as %+v", listed)
		}
		if err := s.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		Gone(t, s, name)
	}
	rig.Empty(t)
}

func givesRanges(t *testing.T, rig Rig) {
	content := Noise(1, 100)
	Put(t, rig.Store, "as_r/full", content)
	Put(t, rig.Store, "as_r/none", nil)
	for _, c := range []struct{ off, n, from, to int64 }{
		{0, 100, 0, 100}, {0, 1, 0, 1}, {99, 1, 99, 100}, {10, 20, 10, 30}, {40, -1, 40, 100},
		{90, 50, 90, 100}, {100, 5, 100, 100}, {100, -1, 100, 100}, {200, 5, 100, 100}, {0, 0, 0, 0}, {50, 0, 50, 50},
	} {
		if got := Get(t, rig.Store, "as_r/full", c.off, c.n); !bytes.Equal(got, content[c.from:c.to]) {
			t.Errorf("%d+%d gave %d bytes, want %d to %d", c.off, c.n, len(got), c.from, c.to)
		}
	}
	if got := Get(t, rig.Store, "as_r/none", 0, -1); len(got) != 0 {
		t.Errorf("an empty blob gave %d bytes", len(got))
	}
	if got := Get(t, rig.Store, "as_r/none", 0, 7); len(got) != 0 {
		t.Errorf("an empty blob gave %d bytes", len(got))
	}
	if _, err := rig.Store.Open(t.Context(), "as_r/full", -1, 5); !errors.Is(err, musa.ErrInvalid) {
		t.Errorf("before the start: %v", err)
	}
}

func writtenOnce(t *testing.T, rig Rig) {
	for i, size := range []int{10, big} {
		name, content := fmt.Sprintf("as_%d/full", i), Noise(2, size)
		Put(t, rig.Store, name, content)
		if _, err := rig.Store.Put(t.Context(), name, bytes.NewReader(Noise(3, size))); !errors.Is(err, fs.ErrExist) {
			t.Fatalf("written twice: %v", err)
		}
		if got := Get(t, rig.Store, name, 0, -1); !bytes.Equal(got, content) {
			t.Fatal("the first content is lost")
		}
	}
	if found := Names(t, rig.Store, ""); len(found) != 2 {
		t.Fatalf("left behind: %v", found)
	}
}

func oneWriterWins(t *testing.T, rig Rig) {
	const writers = 8
	var group sync.WaitGroup
	failures := make([]error, writers)
	for i := range writers {
		group.Go(func() {
			_, failures[i] = rig.Store.Put(t.Context(), "as_w/full", bytes.NewReader(Noise(byte(i), 200<<10)))
		})
	}
	group.Wait()
	won := -1
	for i, err := range failures {
		switch {
		case err == nil && won >= 0:
			t.Fatalf("writers %d and %d both won", won, i)
		case err == nil:
			won = i
		case !errors.Is(err, fs.ErrExist):
			t.Fatalf("writer %d: %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	if got := Get(t, rig.Store, "as_w/full", 0, -1); !bytes.Equal(got, Noise(byte(won), 200<<10)) {
		t.Fatal("the winner's content is not there")
	}
	if found := Names(t, rig.Store, ""); len(found) != 1 {
		t.Fatalf("left behind: %v", found)
	}
}

func failedWrite(t *testing.T, rig Rig) {
	// The second is what a connection that breaks off in a body reads as.
	for _, fault := range []error{errors.New("upload dropped"), io.ErrUnexpectedEOF} {
		for _, size := range []int{0, 10, big} {
			r := io.MultiReader(bytes.NewReader(Noise(4, size)), iotest.ErrReader(fault))
			if n, err := rig.Store.Put(t.Context(), "as_f/full", r); !errors.Is(err, fault) || n != 0 {
				t.Fatalf("%v after %d bytes: %d, %v", fault, size, n, err)
			}
			Gone(t, rig.Store, "as_f/full")
			rig.Empty(t)
		}
	}
	Put(t, rig.Store, "as_f/full", Noise(5, 10))
}

// tripwire cancels when it is read past its bytes.
type tripwire struct {
	r    io.Reader
	trip context.CancelFunc
}

func (w *tripwire) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err == io.EOF {
		w.trip()
		return len(p), nil
	}
	return n, err
}

func cancelledWrite(t *testing.T, rig Rig) {
	for _, size := range []int{0, big} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := rig.Store.Put(ctx, "as_c/full", &tripwire{bytes.NewReader(Noise(6, size)), cancel})
		if !errors.Is(err, context.Canceled) || errors.Is(err, musa.ErrUnavailable) {
			t.Fatalf("cancelled after %d bytes: %v", size, err)
		}
		Gone(t, rig.Store, "as_c/full")
		rig.Empty(t)
	}
}

func knowsAbsent(t *testing.T, rig Rig) {
	Put(t, rig.Store, "as_a/full", Noise(7, 10))
	for _, name := range []string{"as_a", "as_a/ful", "as_a/full/x", "as_b/full"} {
		if err := rig.Store.Remove(t.Context(), name); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, musa.ErrUnavailable) {
			t.Errorf("remove %s: %v", name, err)
		}
		if _, err := rig.Store.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %s: %v", name, err)
		}
		if _, err := rig.Store.Open(t.Context(), name, 0, 5); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %s: %v", name, err)
		}
	}
	if err := rig.Store.Remove(t.Context(), "as_a/full"); err != nil {
		t.Fatal(err)
	}
	if err := rig.Store.Remove(t.Context(), "as_a/full"); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("removed twice: %v", err)
	}
}

func removesMany(t *testing.T, rig Rig) {
	var names []string
	for i := range 12 {
		name := fmt.Sprintf("as_%d/full", i)
		Put(t, rig.Store, name, Noise(byte(i), 3000))
		names = append(names, name)
	}
	keep := names[11]
	left := rig.Store.RemoveAll(t.Context(), append(names[:11:11], "as_x/full", "A bad name"))
	if len(left) != 1 || left["A bad name"] == nil {
		t.Errorf("left %v, want the bad name alone", left)
	}
	for _, name := range names[:11] {
		Gone(t, rig.Store, name)
	}
	if got := Get(t, rig.Store, keep, 0, -1); len(got) != 3000 {
		t.Errorf("the one not named came back with %d bytes", len(got))
	}
	if left := rig.Store.RemoveAll(t.Context(), names); len(left) != 0 {
		t.Errorf("removed twice: %v", left)
	}
	rig.Empty(t)
}

func refusesNames(t *testing.T, rig Rig) {
	long := strings.Repeat("a", blob.MaxName)
	Put(t, rig.Store, long, nil)
	for _, name := range []string{
		"", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", ".", "A", "a b", "a.b", "a+b", "a\x00b", "ä", "a\\b", long + "a",
	} {
		_, put := rig.Store.Put(t.Context(), name, strings.NewReader("x"))
		_, open := rig.Store.Open(t.Context(), name, 0, -1)
		_, stat := rig.Store.Stat(t.Context(), name)
		for what, err := range map[string]error{"put": put, "open": open, "stat": stat} {
			if !errors.Is(err, musa.ErrInvalid) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
	for _, name := range []string{"", "..", "../a", "a.b", "../a+b", "a+../b", "a+"} {
		if err := rig.Store.Remove(t.Context(), name); err == nil {
			t.Errorf("removed %q", name)
		}
	}
	if found := Names(t, rig.Store, ""); len(found) != 1 {
		t.Fatalf("stored: %v", found)
	}
}

// pages of a bucket's listing hold 1,000 names.
const many = 1_010

func listsAll(t *testing.T, rig Rig) {
	var group sync.WaitGroup
	for w := range 10 {
		group.Go(func() {
			for i := w; i < many; i += 10 {
				if _, err := rig.Store.Put(t.Context(), fmt.Sprintf("as_%04d/full", i), strings.NewReader("x")); err != nil {
					t.Errorf("put: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	for prefix, want := range map[string]int{"": many, "as_": many, "as_00": 100, "as_0007/": 1, "as_0007/full": 1, "b": 0} {
		found := Names(t, rig.Store, prefix)
		for name := range found {
			if !strings.HasPrefix(name, prefix) {
				t.Errorf("%q listed under %q", name, prefix)
			}
		}
		if len(found) != want {
			t.Errorf("%d names under %q, want %d", len(found), prefix, want)
		}
	}
	seen := 0
	for range rig.Store.List(t.Context(), "") {
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("a walk broken off at 3 saw %d", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var last error
	for _, last = range rig.Store.List(ctx, "") {
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a cancelled walk ended with %v", last)
	}
}

func sweeps(t *testing.T, rig Rig) {
	rig.Partial(t, "as_s/thumb")
	rig.Partial(t, "as_s/full")
	Put(t, rig.Store, "as_s/full", Noise(8, 10))
	var began time.Time
	partial := 0
	for _, info := range Names(t, rig.Store, "as_s/") {
		if info.Partial {
			partial++
			if info.Modified.After(began) {
				began = info.Modified
			}
		}
	}
	if partial != 2 {
		t.Fatalf("%d partial blobs listed, want 2", partial)
	}
	if n, err := blob.Sweep(t.Context(), rig.Store, began.Add(-time.Minute)); n != 0 || err != nil {
		t.Fatalf("swept %d that may still be running: %v", n, err)
	}
	if n, err := blob.Sweep(t.Context(), rig.Store, began.Add(time.Millisecond)); n != 2 || err != nil {
		t.Fatalf("swept %d of 2: %v", n, err)
	}
	if got := Get(t, rig.Store, "as_s/full", 0, -1); !bytes.Equal(got, Noise(8, 10)) {
		t.Fatal("sweeping took a whole blob")
	}
	if err := rig.Store.Remove(t.Context(), "as_s/full"); err != nil {
		t.Fatal(err)
	}
	rig.Empty(t)
}

func checks(t *testing.T, rig Rig) {
	if err := rig.Store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	rig.Empty(t)
}

func bearsMany(t *testing.T, rig Rig) {
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 12 {
				name, content := fmt.Sprintf("as_%d_%d/full", w, i), Noise(byte(w), 3000+i)
				if _, err := rig.Store.Put(t.Context(), name, bytes.NewReader(content)); err != nil {
					t.Errorf("put %s: %v", name, err)
					return
				}
				if got := Get(t, rig.Store, name, 0, -1); !bytes.Equal(got, content) {
					t.Errorf("%s came back as something else", name)
				}
				if err := rig.Store.Remove(t.Context(), name); err != nil {
					t.Errorf("remove %s: %v", name, err)
				}
			}
		})
	}
	group.Wait()
	rig.Empty(t)
}
