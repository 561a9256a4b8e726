package files_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"musa"
	"musa/blob/blobtest"
	"musa/blob/files"
)

// The test binary starts itself again where a process must die or give up its rights.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == "child" {
		if err := act(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func act(mode, dir, arg string) error {
	switch mode {
	case "full":
		// Without this the kernel ends the process instead of failing the write.
		signal.Ignore(syscall.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 100 << 10, Max: 100 << 10}); err != nil {
			return err
		}
	case "denied":
		if os.Geteuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				return err
			}
		}
	}
	s, err := files.New(dir)
	if err != nil {
		return tell(err)
	}
	switch mode {
	case "loop":
		for i := 0; ; i++ {
			n := fmt.Sprintf("as_%s%d/full", arg, i)
			if _, err := s.Put(context.Background(), n, bytes.NewReader(loopContent(n))); err != nil {
				return err
			}
			fmt.Println(n)
		}
	case "stall":
		_, err := s.Put(context.Background(), arg, &echo{os.Stdin})
		return err
	case "full":
		_, err := s.Put(context.Background(), arg, bytes.NewReader(blobtest.Noise(1, 300<<10)))
		return tell(err)
	case "denied":
		return tell(s.Check(context.Background()))
	}
	return errors.New("no such mode")
}

// echo says that bytes have reached the writer: its caller asks for more only when the
// ones before are in the file.
type echo struct{ r io.Reader }

func (e *echo) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if n == 0 {
		return n, err
	}
	e.r = &announced{e.r}
	return n, err
}

type announced struct{ r io.Reader }

func (a *announced) Read(p []byte) (int, error) {
	fmt.Println("half")
	return a.r.Read(p)
}

type said struct{ Code, Public, Cause string }

func tell(err error) error {
	out, _ := words(err)
	return json.NewEncoder(os.Stdout).Encode(out)
}

func words(err error) (said, bool) {
	var p *musa.Problem
	if !errors.As(err, &p) || !errors.Is(err, musa.ErrUnavailable) {
		return said{Cause: fmt.Sprint(err)}, false
	}
	return said{p.Code, p.Public, p.Error()}, true
}

func loopContent(name string) []byte { return bytes.Repeat([]byte(name), 10_000) }

func name(i int) string { return fmt.Sprintf("as_%d/full", i) }

type child struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func spawn(t testing.TB, mode, dir, arg string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "child", mode, dir, arg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, in, bufio.NewScanner(out)}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return c
}

func (c *child) say(t testing.TB, words string) {
	t.Helper()
	if _, err := io.WriteString(c.in, words); err != nil {
		t.Fatal(err)
	}
}

func (c *child) lines(t testing.TB, n int) []string {
	t.Helper()
	var got []string
	for len(got) < n && c.out.Scan() {
		got = append(got, c.out.Text())
	}
	if len(got) < n {
		t.Fatalf("the child said %d lines of %d: %v", len(got), n, c.out.Err())
	}
	return got
}

func (c *child) await(t testing.TB, line string) {
	t.Helper()
	if got := c.lines(t, 1); got[0] != line {
		t.Fatalf("the child said %q, not %q", got[0], line)
	}
}

func (c *child) kill(t testing.TB) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.cmd.Wait()
}

func (c *child) problem(t testing.TB) said {
	t.Helper()
	var got said
	if err := json.Unmarshal([]byte(c.lines(t, 1)[0]), &got); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return got
}

// A limit on a file's size, which everybody may set, stands for a full disk.
func TestFileSizeLimitIsAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := spawn(t, "full", dir, "as_x/full").problem(t)
	if got.Code != "storage_full" || !strings.Contains(got.Public, dir) {
		t.Fatalf("the child met %+v", got)
	}
	wantEmpty(t, dir)
}

func TestFolderOfSomebodyElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	got := spawn(t, "denied", dir, "-").problem(t)
	if got.Code != "storage_denied" || !strings.Contains(got.Public, dir) {
		t.Fatalf("the child met %+v", got)
	}
}

// With the right to mount, the same on a disk that is full and one that is read-only;
// without it the two tests above are what can be shown.
func TestFullAndReadOnlyDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=700"); err != nil {
		if !errors.Is(err, unix.EPERM) {
			t.Fatal(err)
		}
		t.Log("may not mount here: only the limit on file sizes was tried")
		return
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := open(t, dir)
	kept := blobtest.Noise(1, 600<<10)
	blobtest.Put(t, s, "as_kept/full", kept)
	_, err := s.Put(t.Context(), "as_more/full", bytes.NewReader(blobtest.Noise(2, 800<<10)))
	wantProblem(t, err, "storage_full", dir)
	blobtest.Gone(t, s, "as_more/full")

	filler := filepath.Join(dir, "filler")
	err = os.WriteFile(filler, make([]byte, 1<<20), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk took the filler: %v", err)
	}
	wantProblem(t, s.Check(t.Context()), "storage_full", dir)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatalf("room came back, and still: %v", err)
	}
	if got := blobtest.Get(t, s, "as_kept/full", 0, -1); !bytes.Equal(got, kept) {
		t.Fatal("the full disk cost a blob")
	}

	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, s.Check(t.Context()), "storage_read_only", dir)
	wantProblem(t, s.Remove(t.Context(), "as_kept/full"), "storage_read_only", dir)
	if got := blobtest.Get(t, s, "as_kept/full", 0, -1); !bytes.Equal(got, kept) {
		t.Fatal("a read-only disk cannot be read")
	}
}
