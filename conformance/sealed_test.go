package conformance_test

import (
	"context"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/pix"
)

// planted is what a person brings that must lie nowhere in clear.
const (
	plantedWords = "a sentence that nobody else would write 7f3a91, sharper"
	plantedName  = "grandmother-at-the-lake-1987"
)

// TestSealed: stored data is encrypted, while jobs run and after, in logs, temporary files,
// the queue's store and the backups, too.
func TestSealed(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-12", func(t *testing.T) {
		musatest.Models(t)
		t.Run(string(musatest.Embedded), func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "target")
			sealedEverywhere(t, nodes.Server(t, dir, "--policy", "enhancer", "--backup", "file://"+target), nil, target)
		})
		t.Run(string(musatest.Scaled), func(t *testing.T) {
			address, cluster := rigs.Postgres(t)
			bucket, target, queue := rigs.S3(t), rigs.S3(t), t.TempDir()
			nats := rigs.NATSServer(t, "-sd", queue)
			n := nodes.Server(t, t.TempDir(), "--policy", "enhancer", "--db", address, "--blobs", bucket.URL, "--nats", nats.URL, "--backup", target.URL)
			n.Env = []string{"AWS_ACCESS_KEY_ID=" + bucket.AccessKey, "AWS_SECRET_ACCESS_KEY=" + bucket.SecretKey}
			sealedEverywhere(t, n, []string{cluster, bucket.Dir, queue}, target.Dir)
		})
	})
}

// sealedEverywhere scans all that a server process writes, wherever: the folders of its own
// and those of the servers that it stands on.
func sealedEverywhere(t *testing.T, n *nodes.Node, more []string, target string) {
	n.Start()
	g := n.Guest()
	photo := photos.Read(t, "astronaut.png")
	m := musatest.Markers{"prompt": []byte(plantedWords), "file name": []byte(plantedName)}
	m.Runs("upload", photo, 12)
	m.Runs("upload's pixels", pixels(t, photo), 12)
	look := func(when string) {
		t.Helper()
		for _, dir := range append([]string{filepath.Join(n.Dir, "data"), n.Temp, n.Home, n.Log, target}, more...) {
			wantNone(t, when, musatest.Find(t, []string{dir}, m))
		}
	}
	a := g.Upload(plantedName+".png", photo, "save", "true")
	m.Runs("stored original", g.Content(a.ID).Body, 12)
	var j api.Job
	for try := 0; ; try++ {
		scale := 2
		if try > 0 { // on a quick machine it was over before anybody looked
			scale = 4
		}
		j = begun(t, g, a.ID, scale)
		// The work stands still while somebody looks.
		frozen(t, n, func() { look("during the job") })
		if state := g.Job(j.ID).State; state == "running" {
			break
		} else if try == 4 {
			t.Fatalf("after each look the job is %q: too soon to tell anything", state)
		}
		a = g.Upload(plantedName+".png", photo, "save", "true")
	}
	copied(t, n)
	look("after a copy that began during the job")
	done := g.Await(j.ID)
	if len(done.Outputs) != 1 {
		t.Fatalf("the job made %d results: %+v", len(done.Outputs), done.Error)
	}
	result := g.Content(done.Outputs[0].ID).Body
	m.Runs("result", result, 12)
	m.Runs("result's pixels", pixels(t, result), 12)
	copied(t, n)
	look("after the job")
	if len(files(t, target)) < 4 {
		t.Fatalf("the backup target holds %d files: nothing was copied", len(files(t, target)))
	}
	g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+done.Outputs[0].ID, nil), nil)
	n.Stop()
	look("after the server ended")
	if found := musatest.Find(t, []string{musatest.InClear(t, m)}, m); len(found) != len(m) {
		t.Fatalf("the same scan finds %d of %d markers in a store written in clear", len(found), len(m))
	}
}

// begun orders a job whose words must not be found, and returns when it paints.
func begun(t *testing.T, g *musatest.Client, input string, scale int) api.Job {
	t.Helper()
	j := g.Enhance(input, musatest.Order{"prompt": plantedWords, "params": map[string]any{"scale": scale}})
	await(t, time.Minute, "a tile is painted", func() bool {
		got := g.Job(j.ID)
		return got.State == "running" && got.Progress.Done > 0 || musa.JobState(got.State).Ended()
	})
	return j
}

// frozen holds a process while look looks.
func frozen(t *testing.T, n *nodes.Node, look func()) {
	t.Helper()
	if err := n.Process().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	look()
	if err := n.Process().Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// copied runs musa backup beside the server, which may be at a copy of its own.
func copied(t *testing.T, n *nodes.Node) {
	t.Helper()
	flags := n.Command[2:]
	for i := range flags {
		if flags[i] == "--listen" {
			flags = slices.Concat(flags[:i], flags[i+2:])
			break
		}
	}
	for _, e := range n.Env {
		for name, flag := range map[string]string{"AWS_ACCESS_KEY_ID=": "--s3-access-key=", "AWS_SECRET_ACCESS_KEY=": "--s3-secret-key="} {
			if value, ok := strings.CutPrefix(e, name); ok {
				flags = append(flags, flag+value)
			}
		}
	}
	await(t, time.Minute, "the store is copied", func() bool {
		said, status := nodes.Run(t, n.Dir, append([]string{"backup", "make"}, flags...)...)
		if status != 0 && !strings.Contains(said, "is running already") {
			t.Fatalf("musa backup: status %d\n%s", status, said)
		}
		return status == 0
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
	j := begun(t, g, a.ID, 2)
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
