package conformance_test

import (
	"context"
	"io/fs"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"musa"
	"musa/conformance"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/pix"
)

// TestSealed: stored data is encrypted, while jobs run and after.
func TestSealed(t *testing.T) {
	conformance.Kept(t, "E-12", func(t *testing.T) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		eachStore(t, musatest.Rig{Policy: "enhancer", Engine: &enginetest.Null{Tiles: 3, Hold: 300 * time.Millisecond}}, func(t *testing.T, s *musatest.Studio) {
			// The test's own folders lie elsewhere, so the studio's scratch is all that is here.
			dirs := append([]string{temp}, s.Dirs...)
			g := s.Guest()
			photo := photos.Read(t, "astronaut.png")
			m := musatest.Markers{"prompt": []byte("a sentence that nobody else would write 7f3a91"), "file name": []byte("grandmother-at-the-lake-1987")}
			m.Runs("upload", photo, 12)
			m.Runs("upload's pixels", pixels(t, photo), 12)
			a := g.Upload("grandmother-at-the-lake-1987.png", photo, "save", "true")
			m.Runs("stored original", g.Content(a.ID).Body, 12)
			j := g.Enhance(a.ID, musatest.Order{"prompt": "a sentence that nobody else would write 7f3a91"})
			for g.Job(j.ID).State == "queued" {
				time.Sleep(10 * time.Millisecond)
			}
			wantNone(t, "during the job", musatest.Find(t, dirs, m))
			done := g.Await(j.ID)
			if len(done.Outputs) != 1 {
				t.Fatalf("the job made %d results", len(done.Outputs))
			}
			result := g.Content(done.Outputs[0].ID).Body
			m.Runs("result", result, 12)
			m.Runs("result's pixels", pixels(t, result), 12)
			wantNone(t, "after the job", musatest.Find(t, dirs, m))
			s.Step()
			wantNone(t, "after a step of retention", musatest.Find(t, dirs, m))
			if found := musatest.Find(t, []string{musatest.InClear(t, m)}, m); len(found) != len(m) {
				t.Fatalf("the same scan finds %d of %d markers in a store written in clear", len(found), len(m))
			}
		})
	})
}

// TestScratch: what work leaves goes with the job, and with the process that dies of it.
func TestScratch(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-16", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "enhancer"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			s.Step()
			wantBlobs(t, s, 2) // the result and its preview, nothing of the original or the work
			g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+out.ID, nil), nil)
			s.Clock.Turn(10 * time.Second)
			s.Step()
			wantBlobs(t, s, 0)
		})
		t.Run("after kill -9 and restart", killedAtWork)
	})
}

// killedAtWork kills the real program while its network paints, and starts it again.
func killedAtWork(t *testing.T) {
	musatest.Models(t)
	dir := t.TempDir()
	n := nodes.Server(t, dir, "--policy", "enhancer")
	n.Start()
	g := n.Guest()
	a := g.Upload("face.png", photos.Read(t, "astronaut.png"))
	j := g.Enhance(a.ID, musatest.Order{"params": map[string]any{"scale": 2}})
	await(t, time.Minute, "a tile is painted", func() bool {
		got := g.Job(j.ID)
		return got.State == "running" && got.Progress.Done > 0 || musa.JobState(got.State).Ended()
	})
	n.Kill()
	n.Start()
	if done := g.Await(j.ID); done.State != "succeeded" {
		t.Fatalf("after the restart the job ended %q: %+v", done.State, done.Error)
	}
	await(t, 30*time.Second, "the original is purged", func() bool { return g.Asset(a.ID).State == "purged" })
	if left := files(t, filepath.Join(dir, "data", "blobs")); len(left) != 2 {
		t.Errorf("%d files in the blob store, want the result and its preview", len(left))
	}
	for _, scratch := range []string{n.Temp, n.Home} {
		if left := files(t, scratch); len(left) != 0 {
			t.Errorf("left in %s: %v", filepath.Base(scratch), left)
		}
	}
}

// files lists the regular files below a folder.
func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantBlobs counts what lies in the store, finished or not.
func wantBlobs(t *testing.T, s *musatest.Studio, want int) {
	t.Helper()
	n := 0
	for _, err := range s.Blobs.List(context.Background(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != want {
		t.Fatalf("the store holds %d blobs, want %d", n, want)
	}
}

func wantNone(t *testing.T, when string, found map[string]string) {
	t.Helper()
	for name, where := range found {
		t.Errorf("%s: %s lies in clear in %s", when, name, where)
	}
}

func pixels(t *testing.T, data []byte) []byte {
	t.Helper()
	img := picture(t, data)
	raw, _, err := img.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// picture decodes a file, for as long as the test runs.
func picture(t *testing.T, data []byte) *pix.Image {
	t.Helper()
	img, err := pix.Decode(context.Background(), data, pix.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(img.Close)
	return img
}
