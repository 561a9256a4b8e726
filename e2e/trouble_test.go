//go:build e2e

package e2e_test

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"musa/api"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/rigs"
)

// wantWords checks that an operator is told what is wrong and what to do.
func wantWords(t *testing.T, said string, words ...string) {
	t.Helper()
	if !strings.HasPrefix(said, "musa: ") || strings.Contains(said, "goroutine ") {
		t.Errorf("it does not speak to a person:\n%s", said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("it does not say %q:\n%s", w, said)
		}
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Command = append(s.Command, "--listen", l.Addr().String())
	wantWords(t, s.Fails(), "listen", "Another program", "--listen")
	for _, left := range []string{"data", "musa.keys"} {
		if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
			t.Errorf("it made %s, though it cannot serve", left)
		}
	}
}

// TestDataServedTwice: the second server over a data folder is refused, and the first goes on.
func TestDataServedTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := nodes.Server(t, dir)
	first.Start()
	mine := keepsake(t, first)
	// Not a node of its own: both would write one file of what servers say.
	said, status := nodes.Run(t, dir, "serve", "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "musa.keys"), "--listen", "127.0.0.1:0")
	if status != 2 {
		t.Errorf("the second server ends with %d", status)
	}
	wantWords(t, said, "data", "Another server", "--nats")
	mine.whole(t)
	first.Stop()
}

// TestKeysets starts a store with a keyset that is lost, then with another's, and at last
// with its own: nothing is made in its place, and nothing is lost.
func TestKeysets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Start()
	mine := keepsake(t, s)
	s.Stop()

	keys, aside := filepath.Join(dir, "musa.keys"), filepath.Join(dir, "aside.keys")
	move(t, keys, aside)
	wantWords(t, s.Fails(), "keys", keys, "Put", "--keys")
	if _, err := os.Stat(keys); err == nil {
		t.Error("it made new keys for a store that has some")
	}

	other := nodes.Server(t, t.TempDir())
	other.Start()
	other.Stop()
	raw, err := os.ReadFile(filepath.Join(other.Dir, "musa.keys"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	wantWords(t, s.Fails(), "keys", "sealed")

	if err := os.WriteFile(keys, []byte("not a keyset"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWords(t, s.Fails(), keys, "cannot be used")

	move(t, aside, keys)
	s.Start()
	mine.whole(t)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// kept is a picture that has to outlive the trouble.
type kept struct {
	by  *musatest.Client
	id  string
	sum [32]byte
}

func keepsake(t *testing.T, s *nodes.Node) kept {
	g := s.Guest()
	photo, _ := crop(t, 200, 150)
	a := g.Upload("keepsake.png", photo, "save", "true")
	return kept{g, a.ID, sha256.Sum256(g.Content(a.ID).Body)}
}

func (k kept) whole(t *testing.T) {
	t.Helper()
	content := k.by.Content(k.id)
	k.by.Want(http.StatusOK, content, nil)
	if sha256.Sum256(content.Body) != k.sum {
		t.Error("a picture has other bytes than before the trouble")
	}
}

// mounted has a process see a file system of its own at a folder, mounted with these
// options. The test reaches it by the process's own root.
func mounted(t *testing.T, s *nodes.Node, at, options string) {
	t.Helper()
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	s.As = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	script := fmt.Sprintf("mount %s && exec \"$0\" \"$@\"", strings.ReplaceAll(options, "AT", "'"+at+"'"))
	s.Command = append([]string{"/bin/sh", "-c", script}, s.Command...)
}

// TestDiskFull fills the disk under a server: uploads are refused in words, old pictures
// are whole, and when space returns everything goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := nodes.Server(t, dir)
	mounted(t, s, data, "-t tmpfs -o size=12m none AT")
	s.Start()
	mine := keepsake(t, s)
	inside := fmt.Sprintf("/proc/%d/root%s", s.Process().Pid, data)

	ballast := filepath.Join(inside, "ballast")
	fill(t, ballast)
	photo, _ := crop(t, 420, 300)
	p := mine.by.Problem(http.StatusServiceUnavailable, mine.by.Post("x.png", photo))
	if !strings.Contains(strings.ToLower(p.Detail), "full") {
		t.Errorf("refused with code %q in words %q", p.Code, p.Detail)
	}
	mine.whole(t)
	answer := mine.by.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{mine.id}, "params": steps(1)})
	if answer.Status != http.StatusServiceUnavailable && answer.Status != http.StatusAccepted {
		t.Errorf("an order on a full disk: status %d: %s", answer.Status, answer.Body)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "the server to take uploads again", func() bool {
		return mine.by.Post("x.png", photo).Status == http.StatusCreated
	})
	mine.whole(t)
	if answer.Status == http.StatusAccepted {
		var j api.Job
		mine.by.Want(http.StatusAccepted, answer, &j)
		mine.by.Await(j.ID)
	}
	mine.by.Made(mine.id, musatest.Order{"params": steps(1)})
	var me api.Me
	mine.by.Want(http.StatusOK, mine.by.Do("GET", "/api/me", nil), &me)
	if me.Held != 0 {
		t.Errorf("%d credits are still held", me.Held)
	}
	s.Guest() // a new guest is taken, too
	verifyInside(t, s, data)
}

// verifyInside runs `musa verify` where the server runs, in the file systems that it sees.
func verifyInside(t *testing.T, m *nodes.Node, data string) {
	t.Helper()
	said, err := exec.Command("nsenter", "--target", strconv.Itoa(m.Process().Pid), "--user", "--mount", "--preserve-credentials",
		nodes.Program(t), "verify", "--data", data, "--policy", "studio", "--keys", filepath.Join(m.Dir, "musa.keys")).CombinedOutput()
	if err != nil {
		t.Errorf("musa verify: %v\n%s", err, said)
	}
}

// fill writes until there is no room left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}

// TestReadOnlyData starts on a folder that cannot be written, empty and with a store.
func TestReadOnlyData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Start()
	mine := keepsake(t, s)
	s.Stop()
	locked := nodes.Server(t, dir)
	data := filepath.Join(dir, "data")
	mounted(t, locked, data, "--bind AT AT && mount -o remount,bind,ro AT")
	wantWords(t, locked.Fails(), "cannot be written")
	s.Start()
	mine.whole(t)

	empty := nodes.Server(t, t.TempDir())
	mounted(t, empty, filepath.Join(empty.Dir, "data"), "-t tmpfs -o ro none AT")
	wantWords(t, empty.Fails(), "written")
}

func TestMissingLibvips(t *testing.T) {
	t.Parallel()
	s := nodes.Server(t, t.TempDir(), "--vips", "/nonexistent/libvips.so.42")
	wantWords(t, s.Fails(), "libvips", "apt-get install")
}

// TestMissingModels: without networks the server serves, does what needs none, and says
// how to fetch them when one is needed.
func TestMissingModels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Command = append(s.Command, "--models", filepath.Join(dir, "no-models"))
	s.Start()
	g := s.Guest()
	photo, _ := crop(t, 200, 150)
	a := g.Upload("x.png", photo, "save", "true")
	p := g.Problem(http.StatusServiceUnavailable, g.Do("POST", "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{a.ID}, "params": map[string]any{"scale": 2}}))
	if p.Code != "model_missing" || !strings.Contains(p.Detail, "musa models pull") {
		t.Errorf("code %q, words %q", p.Code, p.Detail)
	}
	g.Made(a.ID, musatest.Order{"params": steps(1)})
	var me api.Me
	g.Want(http.StatusOK, g.Do("GET", "/api/me", nil), &me)
	if me.Credits != 199 || me.Held != 0 {
		t.Errorf("%d credits and %d held after one job that could be done, want 199 and 0", me.Credits, me.Held)
	}
}

// TestWorkerWithoutSettings: a runner node alone is no use, and says so.
func TestWorkerWithoutSettings(t *testing.T) {
	t.Parallel()
	wantWords(t, nodes.Worker(t, t.TempDir(), "alone").Fails(), "db", "shares database, blobs and NATS")
	dead := rigs.FreeAddress(t)
	w := nodes.Worker(t, t.TempDir(), "lost", "--db", "postgres://musa@"+dead+"/musa?sslmode=disable", "--blobs", "s3://b?endpoint=http://"+dead, "--nats", "nats://"+dead)
	wantWords(t, w.Fails(), "db", "database")
}
