package files_test

import (
	"bytes"

	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"musa/blob"
	"musa/blob/blobtest"
	"musa/blob/files"
)

func open(t testing.TB, dir string) *files.Store {
	t.Helper()
	s, err := files.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rig(t testing.TB) blobtest.Rig {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	return blobtest.Rig{
		Store:   s,
		Partial: func(t testing.TB, name string) { leavePartial(t, dir, name) },
		Empty:   func(t testing.TB) { wantEmpty(t, dir) },
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, rig)
}

func TestStoreThatPublishesByLink(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t testing.TB) blobtest.Rig {
		r := rig(t)
		r.Store.(*files.Store).PublishByLink()
		return r
	})
}

// leavePartial lets a writer die in a child process, halfway through its bytes.
func leavePartial(t testing.TB, dir, name string) {
	t.Helper()
	child := spawn(t, "stall", dir, name)
	child.say(t, "half of a picture")
	child.await(t, "half")
	child.kill(t)
}

// wantEmpty fails if files or folders are left, for an empty folder would tell of a blob.
func wantEmpty(t testing.TB, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Fatalf("left in the store: %v, %v", left, err)
	}
}

func TestBlobsSurviveReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := blobtest.Noise(1, 5000)
	blobtest.Put(t, open(t, dir), "as_x/full", content)
	again := open(t, dir)
	if got := blobtest.Get(t, again, "as_x/full", 0, -1); !bytes.Equal(got, content) {
		t.Fatal("content lost")
	}
	if err := again.Remove(t.Context(), "as_x/full"); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, dir)
}

func TestBlobsAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "blobs")
	blobtest.Put(t, open(t, dir), "as_x/full", []byte("x"))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A crash between link and unlink leaves two names on the same bytes: removing the blob
// must take both, or the bytes remain.
func TestRemoveTakesTheTwinThatACrashLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	blobtest.Put(t, s, "as_x/full", []byte("x"))
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	if err := os.Link(paths[0], paths[0]+blob.PartialMark+"abc"); err != nil {
		t.Fatal(err)
	}
	if found := blobtest.Names(t, s, ""); !found["as_x/full+abc"].Partial || len(found) != 2 {
		t.Fatalf("listed: %v", found)
	}
	if err := s.Remove(t.Context(), "as_x/full"); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, dir)
}

// The other way about, sweeping the twin must not take the whole blob.
func TestSweepingATwinKeepsTheBlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	blobtest.Put(t, s, "as_x/full", []byte("x"))
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	if err := os.Link(paths[0], paths[0]+blob.PartialMark+"abc"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "as_x/full+abc"); err != nil {
		t.Fatal(err)
	}
	if got := blobtest.Get(t, s, "as_x/full", 0, -1); string(got) != "x" {
		t.Fatal("the blob went with its twin")
	}
}

func TestFolderThatIsAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "blobs")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := files.New(path)
	wantProblem(t, err, "storage_no_folder", path)
}

func TestKillDuringPutLeavesWholeBlobsOrNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 12 {
		mark := string(rune('a' + round))
		child := spawn(t, "loop", dir, mark)
		done := child.lines(t, 1+round*3)
		child.kill(t)

		s := open(t, dir)
		whole := map[string]bool{}
		for name, info := range blobtest.Names(t, s, "as_"+mark) {
			if info.Partial {
				continue
			}
			whole[name] = true
			if got := blobtest.Get(t, s, name, 0, -1); !bytes.Equal(got, loopContent(name)) {
				t.Fatalf("round %d: %s shows %d bytes, not the whole", round, name, len(got))
			}
		}
		for _, name := range done {
			if !whole[name] {
				t.Fatalf("round %d: %s was confirmed and is lost", round, name)
			}
		}
	}
	s := open(t, dir)
	for name := range blobtest.Names(t, s, "") {
		if err := s.Remove(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if found := blobtest.Names(t, s, ""); len(found) != 0 {
		t.Fatalf("left: %v", found)
	}
}

func wantProblem(t testing.TB, err error, code string, names ...string) {
	t.Helper()
	said, ok := words(err)
	if !ok || said.Code != code {
		t.Fatalf("want %s, got: %v", code, err)
	}
	for _, name := range names {
		if !strings.Contains(said.Public, name) {
			t.Errorf("the words do not name %s: %s", name, said.Public)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir())
	content := blobtest.Noise(1, 256<<10)
	b.SetBytes(int64(len(content)))
	i := 0
	for b.Loop() {
		i++
		if _, err := s.Put(b.Context(), name(i), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRemove(b *testing.B) {
	s := open(b, b.TempDir())
	for b.Loop() {
		b.StopTimer()
		blobtest.Put(b, s, "as_x/full", []byte("x"))
		b.StartTimer()
		if err := s.Remove(b.Context(), "as_x/full"); err != nil {
			b.Fatal(err)
		}
	}
}
