// Package nodes runs the program as its operator does: as processes that are started,
// killed and started again.
package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"musa/musatest"
	"musa/musatest/rigs"
)

// Patience bounds every wait for something that takes a moment. Only a fault exceeds it.
const Patience = 2 * time.Minute

// Main runs a package's tests and removes the program that they built. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if dir := built.dir; dir != "" {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var built struct {
	sync.Once
	dir string
	err error
}

// Program builds musa once per test binary, where other users may run it, too.
func Program(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "musa-e2e-"); built.err != nil {
			return
		}
		if built.err = os.Chmod(built.dir, 0o755); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.dir, "musa"), "./cmd/musa")
		build.Dir = musatest.Root(t)
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build musa: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "musa")
}

// Node is one process of the program: a server, or a runner node.
type Node struct {
	t       testing.TB
	URL     string   // of a server; empty for a runner node
	Command []string // with its flags
	Dir     string   // working directory
	Temp    string   // TMPDIR, its own
	Home    string   // HOME, its own: libraries like to leave things there
	Log     string   // file of its standard error and output, of all its lives
	Env     []string
	As      *syscall.SysProcAttr // nil for an ordinary process
	running *exec.Cmd
	ended   chan error
}

// Server prepares `musa serve` over dir: data, keys, temporary files and log lie in
// folders of their own in it. Flags are further flags.
func Server(t testing.TB, dir string, flags ...string) *Node {
	t.Helper()
	address := rigs.FreeAddress(t)
	m := newNode(t, dir, "server", "serve", append([]string{"--listen", address}, flags...)...)
	m.URL = "http://" + address
	return m
}

// Worker prepares `musa work`.
func Worker(t testing.TB, dir, name string, flags ...string) *Node {
	t.Helper()
	return newNode(t, dir, name, "work", flags...)
}

func newNode(t testing.TB, dir, name, command string, flags ...string) *Node {
	t.Helper()
	m := &Node{t: t, Dir: dir, Temp: filepath.Join(dir, name+"-tmp"), Home: filepath.Join(dir, name+"-home"), Log: filepath.Join(dir, name+".log")}
	for _, d := range []string{m.Temp, m.Home} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	m.Command = append([]string{Program(t), command, "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "musa.keys"),
		"--models", filepath.Join(musatest.Root(t), "models")}, flags...)
	t.Cleanup(func() {
		m.Kill()
		if said := m.Said(); t.Failed() {
			t.Logf("%s said last:\n%s", name, said[max(0, len(said)-4000):])
		}
	})
	return m
}

// Begin starts the process and does not wait for it.
func (m *Node) Begin() {
	m.t.Helper()
	if m.running != nil {
		m.t.Fatal("it runs already")
	}
	words, err := os.OpenFile(m.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	defer words.Close()
	cmd := exec.Command(m.Command[0], m.Command[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.Dir, words, words
	cmd.Env = append(append(os.Environ(), "TMPDIR="+m.Temp, "HOME="+m.Home, "XDG_CACHE_HOME="+m.Home, "XDG_RUNTIME_DIR="+m.Home), m.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if m.As != nil {
		*cmd.SysProcAttr = *m.As
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL // a test that is killed takes it with it
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan error, 1)
	m.running, m.ended = cmd, ended
	go func() { ended <- cmd.Wait() }()
}

// Start starts a server and returns when it is ready.
func (m *Node) Start() {
	m.t.Helper()
	m.Begin()
	m.Ready()
}

// Ready waits until the server answers that it is.
func (m *Node) Ready() {
	m.t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.After(Patience)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for {
		res, err := client.Get(m.URL + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-again.C:
		case err := <-m.ended:
			m.running = nil
			m.t.Fatalf("it ended instead of serving: %v\n%s", err, m.Said())
		case <-limit:
			m.t.Fatalf("not ready after %s\n%s", Patience, m.Said())
		}
	}
}

// Process is the running process, for a test that enters its namespaces; nil when it ended.
func (m *Node) Process() *os.Process {
	if m.running == nil {
		return nil
	}
	return m.running.Process
}

// Kill ends the process as a power cut would end it.
func (m *Node) Kill() {
	if m.running == nil {
		return
	}
	if err := m.running.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		m.t.Errorf("kill: %v", err)
	}
	<-m.ended
	m.running = nil
}

// Stop asks the process to end and waits; its status must be 0.
func (m *Node) Stop() {
	m.t.Helper()
	if err := m.running.Process.Signal(syscall.SIGTERM); err != nil {
		m.t.Fatalf("stop: %v", err)
	}
	if err := m.End(); err != nil {
		m.t.Fatalf("it stopped with %v\n%s", err, m.Said())
	}
}

// End waits for the process to end by itself.
func (m *Node) End() error {
	m.t.Helper()
	select {
	case err := <-m.ended:
		m.running = nil
		return err
	case <-time.After(Patience):
		m.t.Fatalf("it still runs after %s\n%s", Patience, m.Said())
		return nil
	}
}

// Fails runs the process, which has to end with status 2, and returns its words.
func (m *Node) Fails() string {
	m.t.Helper()
	before := len(m.Said())
	m.Begin()
	err := m.End()
	said := m.Said()[before:]
	var status *exec.ExitError
	if !errors.As(err, &status) || status.ExitCode() != 2 {
		m.t.Fatalf("it ended with %v, want status 2\n%s", err, said)
	}
	return said
}

// Said is what the process wrote in all its lives.
func (m *Node) Said() string {
	raw, err := os.ReadFile(m.Log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Error(err)
	}
	return string(raw)
}

// Guest begins as a guest of the server.
func (m *Node) Guest() *musatest.Client { return musatest.NewGuest(m.t, m.URL) }

// Run runs a command of the program to its end.
func Run(t testing.TB, dir string, args ...string) (said string, status int) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), Patience)
	defer stop()
	cmd := exec.CommandContext(ctx, Program(t), args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("musa %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
