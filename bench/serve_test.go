package bench_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"musa/musatest"
)

// idleFor is how long the server has nothing to do before its memory is read.
const idleFor = 5 * time.Second

// BenchmarkServe starts the real program in an empty folder, and again where it has data.
// Goals: ready ≤ 0.5 s, resident ≤ 80 MB after 5 s without work, no connection to anywhere.
func BenchmarkServe(b *testing.B) {
	root, dir := musatest.Root(b), b.TempDir()
	program := filepath.Join(dir, "musa")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/musa")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	for b.Loop() {
		data := b.TempDir()
		fresh := serve(b, program, data, filepath.Join(root, "models"))
		fresh.stop(b)
		s := serve(b, program, data, filepath.Join(root, "models"))
		<-time.After(idleFor)
		b.ReportMetric(ms(fresh.ready), "first-ready-ms")
		b.ReportMetric(ms(s.ready), "ready-ms")
		b.ReportMetric(s.resident(b), "RSS-MB")
		b.ReportMetric(float64(s.outbound(b)), "outbound")
		s.stop(b)
	}
}

type server struct {
	cmd     *exec.Cmd
	address string
	ready   time.Duration
}

var opened = regexp.MustCompile(`http://(\S+)`)

// serve starts the program on a free port and waits until it says that it is ready.
func serve(b *testing.B, program, data, models string) *server {
	b.Helper()
	cmd := exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(data, "data"),
		"--keys", filepath.Join(data, "musa.keys"), "--models", models)
	cmd.Dir, cmd.Stderr = data, io.Discard
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	must(b, err)
	began := time.Now()
	must(b, cmd.Start())
	s := &server{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if found := opened.FindStringSubmatch(line); found != nil {
		s.address = found[1]
	} else {
		b.Fatalf("server said %q: %v", line, err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(began) < time.Minute {
		res, err := client.Get("http://" + s.address + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				s.ready = time.Since(began)
				return s
			}
		}
	}
	b.Fatal("server does not become ready")
	return nil
}

func (s *server) stop(b *testing.B) {
	b.Helper()
	must(b, s.cmd.Process.Signal(syscall.SIGTERM))
	must(b, s.cmd.Wait())
}

// resident is the memory that the server holds, in megabytes of 10^6 bytes.
func (s *server) resident(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	must(b, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			must(b, err)
			return float64(kb) * 1024 / 1e6
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// outbound counts the server's sockets that are neither its listener nor a visitor's.
func (s *server) outbound(b *testing.B) int {
	b.Helper()
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	mine := map[string]bool{}
	fds, err := os.ReadDir(proc + "fd")
	must(b, err)
	for _, fd := range fds {
		if link, err := os.Readlink(proc + "fd/" + fd.Name()); err == nil && strings.HasPrefix(link, "socket:[") {
			mine[strings.Trim(link, "socket:[]")] = true
		}
	}
	_, port, _ := strings.Cut(s.address, ":")
	own, err := strconv.Atoi(port)
	must(b, err)
	n := 0
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		rows, err := os.ReadFile(proc + "net/" + table)
		must(b, err)
		for line := range strings.Lines(string(rows)) {
			f := strings.Fields(line)
			if len(f) > 9 && mine[f[9]] && !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", own)) {
				n++
			}
		}
	}
	return n
}
