//go:build e2e

package e2e_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"musa/api"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
)

// operate runs `musa operator` over a server's store.
func operate(t *testing.T, dir string, args ...string) (string, int) {
	t.Helper()
	return nodes.Run(t, dir, append(append([]string{"operator"}, args...), "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "musa.keys"))...)
}

// officer adds somebody for compliance beside the running server.
func officer(t *testing.T, dir, url string) (c *musatest.Client, subject string) {
	t.Helper()
	said, status := operate(t, dir, "add", "--role", "compliance", "--json")
	var added struct{ Subject, Token string }
	// A warning may stand before the JSON.
	if err := json.Unmarshal([]byte(said[max(0, strings.Index(said, "{")):]), &added); err != nil || status != 0 || added.Token == "" {
		t.Fatalf("operator add: %d %v\n%s", status, err, said)
	}
	return &musatest.Client{T: t, Base: url, Token: added.Token}, added.Subject
}

// The operator's commands work beside a running server over the same files: a role and a tier
// count from the next request on, and an unknown role is refused with those that there are.
func TestOperatorBesideAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := nodes.Server(t, dir)
	m.Start()
	c, subject := officer(t, dir, m.URL)
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/admin/holds", nil), nil)
	g := m.Guest()
	var me api.Guest
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
	if said, status := operate(t, dir, "tier", me.Subject, "member"); status != 0 || !strings.Contains(said, "tier member") {
		t.Errorf("operator tier: %d %s", status, said)
	}
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
	if me.Tier != "member" {
		t.Errorf("after the command the tier is %q", me.Tier)
	}
	if said, status := operate(t, dir, "list"); status != 0 || !strings.Contains(said, subject) || strings.Contains(said, me.Subject) || strings.Contains(said, c.Token) {
		t.Errorf("operator list: %d %s", status, said)
	}
	if said, status := operate(t, dir, "add", "--role", "janitor"); status == 0 || !strings.Contains(said, "compliance") {
		t.Errorf("an unknown role: %d %s", status, said)
	}
	if said, status := operate(t, dir, "remove", subject); status != 0 {
		t.Errorf("operator remove: %d %s", status, said)
	}
	c.Problem(http.StatusUnauthorized, c.Do(http.MethodGet, "/api/me", nil))
	c.Problem(http.StatusNotFound, c.Do(http.MethodGet, "/api/admin/holds", nil))
	if said, status := operate(t, dir, "remove", subject); status == 0 || !strings.Contains(said, "operator list") {
		t.Errorf("removing them twice: %d %s", status, said)
	}
}

// A process that dies between the hold's row and its copy leaves nothing behind: the next one
// drops the row, the picture is as it was, and can be held anew.
func TestKilledWhileAHoldOpens(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := nodes.Server(t, dir)
	m.Start()
	c, _ := officer(t, dir, m.URL)
	g := m.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	d, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "data", "musa.db")+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	block := stall(t, d, filepath.Join(dir, "data", "blobs"), a.ID)
	order := musatest.Order{"asset": a.ID, "reason": "a warrant"}
	answered := make(chan error, 1)
	go func() {
		body, _ := json.Marshal(order)
		req, err := http.NewRequest(http.MethodPost, m.URL+"/api/admin/holds", strings.NewReader(string(body)))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+c.Token)
			var res *http.Response
			if res, err = http.DefaultClient.Do(req); err == nil {
				res.Body.Close()
			}
		}
		answered <- err
	}()
	opening := func() (n int) {
		if err := d.QueryRow("SELECT COUNT(*) FROM holds").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for end := time.Now().Add(nodes.Patience); opening() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the hold's row never came")
		}
	}
	m.Kill()
	if err := <-answered; err == nil {
		t.Error("the order was answered although its copy could not be made")
	}
	block()
	m.Start()
	if n := opening(); n != 0 {
		t.Errorf("%d holds are still opening after the start", n)
	}
	g.Want(http.StatusOK, g.Content(a.ID), nil)
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/admin/holds", order), nil)
	m.Stop()
	said, status := nodes.Run(t, dir, "verify", "--data", filepath.Join(dir, "data"), "--keys", filepath.Join(dir, "musa.keys"))
	if status != 0 {
		t.Errorf("verify: %d\n%s", status, said)
	}
}

// stall puts a pipe that nobody writes to in the place of an asset's files: reading waits for
// ever. The returned function puts the files back.
func stall(t *testing.T, d *sql.DB, blobs, asset string) (restore func()) {
	t.Helper()
	rows, err := d.Query("SELECT name FROM blobs WHERE asset = ?", asset)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	aside := t.TempDir()
	var moved []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		file := strings.ReplaceAll(name, "/", ".")
		if err := errors.Join(os.Rename(filepath.Join(blobs, file), filepath.Join(aside, file)), syscall.Mkfifo(filepath.Join(blobs, file), 0o600)); err != nil {
			t.Fatal(err)
		}
		moved = append(moved, file)
	}
	if err := rows.Err(); err != nil || len(moved) == 0 {
		t.Fatalf("%d files of %s: %v", len(moved), asset, err)
	}
	return func() {
		for _, file := range moved {
			if err := os.Rename(filepath.Join(aside, file), filepath.Join(blobs, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
}
