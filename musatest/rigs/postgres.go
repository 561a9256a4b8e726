package rigs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"musa/db"
)

// Postgres gives a fresh database on a real server of its own, and the directory of all the
// server's files. Nobody else's transactions hold up what rewrites its files, as destroying keys
// does. It keeps no log that is not needed any more, as a deployment must whose keys are to be
// destroyed (wal_recycle=off).
//
// A keeper process stops the server by its id and removes its files at the end of the test, or
// once the test binary is gone, however that ended: the keeper reads a pipe that only dies with it.
func Postgres(t testing.TB) (url, datadir string) {
	t.Helper()
	return copied(t, model)
}

// PostgresFor is Postgres for measuring: its log has files of the usual size.
func PostgresFor(b *testing.B) (url, datadir string) {
	b.Helper()
	return copied(b, usual)
}

// Migrated is Postgres with the program's tables, which are made once and copied.
func Migrated(t testing.TB) (url, datadir string) {
	t.Helper()
	return copied(t, migrated)
}

var migrated = sync.OnceValues(func() (*cluster, error) {
	m, err := model()
	if err != nil {
		return nil, err
	}
	return m.shaped(func(ctx context.Context, url string) error {
		d, err := db.Open(ctx, db.Config{URL: url, Clock: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		return d.Close()
	})
})

func copied(t testing.TB, from func() (*cluster, error)) (url, datadir string) {
	t.Helper()
	m, err := from()
	if err != nil {
		t.Fatalf("make a PostgreSQL cluster: %v", err)
	}
	c, err := m.start(keeper)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(c.stop)
	return c.url(), c.dir
}

// database is there in every cluster, empty.
const database = "musa"

// postgres is a server that runs.
type postgres struct {
	dir    string
	port   int
	alive  io.WriteCloser // held open for as long as the server is to run
	said   io.Reader      // what the keeper says
	keeper *exec.Cmd
}

// stop waits until the server is gone, and its files are.
func (c *postgres) stop() {
	c.alive.Close()
	c.keeper.Wait() // its status is that of rm, and what rm left is in the temporary folder
}

func (c *postgres) url() string {
	return fmt.Sprintf("postgres://musa@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

// ready says whether the server takes connections, by what it writes for those who started it. To
// ask by connecting would cost a process each time.
func (c *postgres) ready() bool {
	note, err := os.ReadFile(filepath.Join(c.dir, "postmaster.pid"))
	lines := strings.Split(string(note), "\n")
	return err == nil && len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
}

const postgresSettings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = on
synchronous_commit = on
wal_recycle = off
min_wal_size = 32MB
max_connections = 200
max_logical_replication_workers = 0
shared_buffers = 64MB
timezone = 'UTC'
`

// bare makes our database the only one but for the one that others begin as: hundreds of tests
// start with a copy of all files.
const bare = `CREATE DATABASE ` + database + `
UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'
DROP DATABASE template0
DROP DATABASE postgres
`

// keeper runs a server (its command comes after $1, which is all that is to be removed) until
// standard input ends. Nobody needs what it would still write then.
const keeper = `root=$1; shift
"$@" >"$root/server.log" 2>&1 </dev/null & pid=$!
read -r _
kill -QUIT "$pid"
wait "$pid"
rm -rf "$root"`

// brewer runs a server as keeper does, but ends it in good order at a line of standard input, says so,
// and removes its files only once standard input ends.
const brewer = `root=$1; shift
"$@" >"$root/server.log" 2>&1 </dev/null & pid=$!
read -r _
kill -INT "$pid"
wait "$pid" && echo done
read -r _
rm -rf "$root"`

// heir removes a folder ($1) once standard input ends.
const heir = `read -r _
rm -rf "$1"`

// base is where the clusters lie, taken before a test points TMPDIR at a folder of its own,
// which the servers' user could not enter.
var base = os.TempDir()

// cluster is a stopped server's files, of which each that runs takes a copy.
type cluster struct {
	bin   string // folder of PostgreSQL's programs
	dir   string
	attr  *syscall.SysProcAttr
	alive io.WriteCloser // held open for as long as the test binary runs; collected, it would be closed
}

// Most tests write little, and each begins with a copy of all files: short files of its log suit
// them. What is measured is measured with the usual ones.
var (
	model = sync.OnceValues(func() (*cluster, error) { return newCluster("--wal-segsize=1") })
	usual = sync.OnceValues(func() (*cluster, error) { return newCluster() })
)

func newCluster(options ...string) (*cluster, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	account, err := lowAccount()
	if err != nil {
		return nil, err
	}
	m := &cluster{bin: bin, attr: &syscall.SysProcAttr{Credential: account, Setpgid: true}}
	root, err := m.folder()
	if err != nil {
		return nil, err
	}
	m.dir = filepath.Join(root, "data")
	options = append(options, "-D", m.dir, "-U", "musa", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	if err := m.command(root, filepath.Join(bin, "initdb"), options...); err != nil {
		return nil, err
	}
	conf, err := os.OpenFile(filepath.Join(m.dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(conf, postgresSettings)
	if err := errors.Join(err, conf.Close()); err != nil {
		return nil, err
	}
	create := exec.Command(filepath.Join(bin, "postgres"), "--single", "-j", "-D", m.dir, "template1")
	create.SysProcAttr, create.Dir, create.Stdin = m.attr, root, strings.NewReader(strings.ReplaceAll(bare, "\n", ";\n\n"))
	if out, err := create.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("create the database: %w\n%s", err, out)
	}
	kept, err := m.keep(root, heir, root)
	if err != nil {
		return nil, err
	}
	m.alive = kept.alive
	return m, nil
}

// folder makes a folder that the servers' user owns.
func (m *cluster) folder() (string, error) {
	root, err := os.MkdirTemp(base, "musa-postgres-")
	if err != nil || m.attr.Credential == nil {
		return root, err
	}
	return root, os.Chown(root, int(m.attr.Credential.Uid), int(m.attr.Credential.Gid))
}

func (m *cluster) command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr, cmd.Dir = m.attr, dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// keep runs a script until the returned pipe is closed, by us or with us.
func (m *cluster) keep(dir, script string, args ...string) (*postgres, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "keeper"}, args...)...)
	cmd.SysProcAttr, cmd.Dir = m.attr, dir
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &postgres{alive: alive, said: said, keeper: cmd}, cmd.Start()
}

// shaped is the files of another server, after something was done to its database.
func (m *cluster) shaped(shape func(ctx context.Context, url string) error) (*cluster, error) {
	c, err := m.start(brewer)
	if err != nil {
		return nil, err
	}
	err = shape(context.Background(), c.url())
	if err == nil {
		_, err = io.WriteString(c.alive, "\n")
	}
	said := make([]byte, len("done\n"))
	if err == nil {
		_, err = io.ReadFull(c.said, said)
	}
	if err != nil {
		c.stop()
		return nil, err
	}
	return &cluster{bin: m.bin, dir: c.dir, attr: m.attr, alive: c.alive}, nil
}

// start runs a server on a copy of the files, under a script that ends it.
func (m *cluster) start(script string) (c *postgres, err error) {
	for range 4 { // somebody else may have taken the port meanwhile
		if c, err = m.run(script); err == nil {
			break
		}
	}
	return c, err
}

func (m *cluster) run(script string) (*postgres, error) {
	root, err := m.folder()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "data")
	if err := m.command(root, "/bin/cp", "-a", m.dir, dir); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c, err := m.keep(root, script, root, filepath.Join(m.bin, "postgres"), "-D", dir, "-p", strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	c.dir, c.port = dir, port
	if err := c.await(filepath.Join(root, "server.log")); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// await looks until the server is ready.
func (c *postgres) await(log string) error {
	for end := time.Now().Add(time.Minute); !c.ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			said, _ := os.ReadFile(log)
			return fmt.Errorf("no answer\n%s", said)
		}
	}
	return nil
}

func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL server in /usr/lib/postgresql; install the Debian package postgresql (apt-get install postgresql)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// lowAccount is who runs the server when the tests run as root, which it refuses.
func lowAccount() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("no account postgres or nobody to run the server as")
}
