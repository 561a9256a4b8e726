package rigs

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
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

	"github.com/jackc/pgx/v5"
)

// Postgres gives a fresh database on a real server, and the directory of all the
// server's files, which are the test binary's alone. The server starts with the first
// call. It keeps no log that is not needed any more, as a deployment must whose keys
// are to be destroyed (wal_recycle=off).
//
// The database is not dropped at the end of the test, since that would write out all
// others first. A keeper process stops the server by its id and removes its files once the test
// binary is gone, however that ended: the keeper reads a pipe that only dies with it.
func Postgres(t testing.TB) (url, datadir string) {
	t.Helper()
	c, err := cluster()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if err := c.admin("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	return c.url(name), c.dir
}

type postgres struct {
	dir   string
	port  int
	alive io.WriteCloser // held open for as long as the server is to run
}

var cluster = sync.OnceValues(startPostgres)

func (c *postgres) url(database string) string {
	return fmt.Sprintf("postgres://musa@127.0.0.1:%d/%s?sslmode=disable", c.port, database)
}

func (c *postgres) admin(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

const postgresSettings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = on
synchronous_commit = on
wal_recycle = off
min_wal_size = 32MB
max_connections = 200
shared_buffers = 64MB
timezone = 'UTC'
`

// keeper runs the server ($1 its program, $2 its directory, $3 all that is to be
// removed) until standard input ends.
const keeper = `"$1" -D "$2" >"$3/server.log" 2>&1 </dev/null & pid=$!
read -r _
kill -INT "$pid"
wait "$pid"
rm -rf "$3"`

// base is where the cluster lies, taken before a test points TMPDIR at a folder of its own,
// which the server's user could not enter.
var base = os.TempDir()

func startPostgres() (*postgres, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	account, err := lowAccount()
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp(base, "musa-postgres-")
	if err != nil {
		return nil, err
	}
	c := &postgres{dir: filepath.Join(root, "data")}
	if account != nil {
		if err := os.Chown(root, int(account.Uid), int(account.Gid)); err != nil {
			return nil, err
		}
	}
	attr := &syscall.SysProcAttr{Credential: account, Setpgid: true}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", c.dir, "-U", "musa", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, root
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	conf, err := os.OpenFile(filepath.Join(c.dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conf, "%sport = %d\n", postgresSettings, c.port)
	if err := conf.Close(); err != nil {
		return nil, err
	}
	run := exec.Command("/bin/sh", "-c", keeper, "keeper", filepath.Join(bin, "postgres"), c.dir, root)
	run.SysProcAttr, run.Dir = attr, root
	if c.alive, err = run.StdinPipe(); err != nil {
		return nil, err
	}
	if err := run.Start(); err != nil {
		return nil, err
	}
	return c, c.await(filepath.Join(root, "server.log"))
}

// await asks until the server answers.
func (c *postgres) await(log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.admin("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log)
			c.alive.Close()
			return fmt.Errorf("no answer: %w\n%s", err, said)
		case <-tick.C:
		}
	}
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

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
