// Package rigs starts the real servers that tests need, each on a free loopback port
// and gone when its test ends. The programs are built from the tools module, so that
// nothing needs to be installed. Non-goals: no doubles, no containers, no sharing of a
// server between tests.
package rigs

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readyWait bounds a server's start on a busy machine.
const readyWait = 30 * time.Second

// NATS starts a NATS server with JetStream for one test and returns its URL.
func NATS(t testing.TB) (url string) {
	t.Helper()
	return NATSServer(t).URL
}

// NATSNode is a NATS server that a test can kill and start again at the same address.
type NATSNode struct {
	URL string

	t       testing.TB
	program string
	args    []string
	running *exec.Cmd // nil when killed
}

// NATSServer starts a NATS server with JetStream; more are further arguments of
// nats-server. Its store stands in the test's own directory.
func NATSServer(t testing.TB, more ...string) *NATSNode {
	t.Helper()
	address := FreeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n := &NATSNode{
		URL: "nats://" + address, t: t, program: buildTool(t, "github.com/nats-io/nats-server/v2"),
		args: append([]string{"-a", "127.0.0.1", "-p", port, "-js", "-sd", t.TempDir()}, more...),
	}
	n.Start()
	t.Cleanup(n.Kill)
	return n
}

// NATSCluster starts three NATS servers that form one cluster with JetStream.
func NATSCluster(t testing.TB) []*NATSNode {
	t.Helper()
	var routes, inside []string
	for range 3 {
		address := FreeAddress(t)
		inside = append(inside, "nats://"+address)
		routes = append(routes, "nats-route://"+address)
	}
	var nodes []*NATSNode
	for i := range inside {
		nodes = append(nodes, NATSServer(t, "-n", fmt.Sprintf("node%d", i), "-cluster_name", "rig",
			"-cluster", inside[i], "-routes", strings.Join(routes, ",")))
	}
	return nodes
}

// Kill ends the server as a power cut would, with SIGKILL.
func (n *NATSNode) Kill() {
	if n.running == nil {
		return
	}
	if err := n.running.Process.Kill(); err != nil {
		n.t.Errorf("kill nats-server: %v", err)
	}
	n.running.Wait() // its error is the kill itself
	n.running = nil
}

// Start starts the server after Kill. It returns when clients can connect.
func (n *NATSNode) Start() {
	n.t.Helper()
	if n.running != nil {
		n.t.Fatal("nats-server already runs")
	}
	cmd := exec.Command(n.program, n.args...)
	// A test binary that is killed takes its servers with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	words, err := cmd.StderrPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.running = cmd
	if said, ok := heard(words, "Server is ready"); !ok {
		n.t.Fatalf("nats-server did not start:\n%s", said)
	}
}

// heard reads until the server says the words, and goes on reading so that it is never
// held up. It returns what was said if the words did not come.
func heard(r io.Reader, words string) (said string, ok bool) {
	ready, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		var all strings.Builder
		waiting := true
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if !waiting {
				continue
			}
			fmt.Fprintln(&all, lines.Text())
			if strings.Contains(lines.Text(), words) {
				waiting = false
				close(ready)
			}
		}
		ended <- all.String()
	}()
	select {
	case <-ready:
		return "", true
	case said = <-ended:
		return said, false
	case <-time.After(readyWait):
		return "silent for " + readyWait.String(), false
	}
}

var major = regexp.MustCompile(`^v[0-9]+$`)

// buildTool builds a program of the tools module once per version, and returns its
// path. Test binaries that ask at the same time wait for the first.
func buildTool(t testing.TB, pkg string) string {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no source path: run tests without -trimpath")
	}
	tools := filepath.Join(filepath.Dir(here), "..", "..", "tools")
	sums, err := os.ReadFile(filepath.Join(tools, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	name := path.Base(pkg)
	if major.MatchString(name) {
		name = path.Base(path.Dir(pkg))
	}
	version := sha256.Sum256(sums)
	dir := filepath.Join(cache, "musa-rigs", hex.EncodeToString(version[:6]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, name)
	lock, err := os.OpenFile(program+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err == nil {
		return program
	}
	half := program + ".half"
	build := exec.Command("go", "build", "-o", half, pkg)
	build.Dir = tools
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	if err := os.Rename(half, program); err != nil {
		t.Fatal(err)
	}
	return program
}
