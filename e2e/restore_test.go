//go:build e2e

package e2e_test

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
)

const (
	leave = 1000 // people who have themselves erased after the backup was made
	stay  = 20
)

// TestDestroyedAndRestored makes a backup, erases 1,000 people, destroys the whole data
// folder and restores. None of them can be read, everybody else is whole, and without its
// journal the restore refuses. Backup and restore are killed on the way, again and again.
func TestDestroyedAndRestored(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), dice(t)
	data, target := filepath.Join(dir, "data"), filepath.Join(dir, "target")
	store := []string{"--data", data, "--keys", filepath.Join(dir, "musa.keys"), "--backup", "file://" + target}
	s := nodes.Server(t, dir, "--backup", "file://"+target)
	s.Start()
	photo, pixels := crop(t, 60, 50)
	people, pictures := make([]*musatest.Client, leave+stay), make([]string, leave+stay)
	for i := range people {
		people[i] = s.Guest()
		pictures[i] = people[i].Upload("photo.png", photo, "save", "true").ID
	}
	for range 5 {
		killed(t, r, dir, append([]string{"backup"}, store...)...)
	}
	until(t, "a whole backup", func() bool {
		_, status := nodes.Run(t, dir, append([]string{"backup"}, store...)...)
		return status == 0
	})

	for _, p := range people[:leave] {
		p.Want(http.StatusAccepted, p.Do(http.MethodPost, "/api/me/erasure", nil), nil)
	}
	journaled(t, data)
	s.Kill()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	restore := append([]string{"restore", "--from", "file://" + target}, store[:4]...)
	withoutJournal(t, target, func() {
		if said, status := nodes.Run(t, dir, restore...); status != 2 || !strings.Contains(said, "journal of erasures") {
			t.Errorf("without a journal the restore ended with status %d:\n%s", status, said)
		}
	})
	for range 5 {
		killed(t, r, dir, restore...)
	}
	said, status := nodes.Run(t, dir, restore...)
	if status != 0 {
		t.Fatalf("the restore ended with status %d:\n%s", status, said)
	}
	t.Log(said)

	s.Start()
	c := &crowd{t: t}
	for i, p := range people {
		if i >= leave {
			if !bytes.Equal(c.whole(p, pictures[i]), pixels) {
				t.Errorf("person %d who stayed has other pixels", i)
			}
		} else if got := p.Content(pictures[i]).Status; got == http.StatusOK {
			t.Errorf("the picture of erased person %d can be read", i)
		}
	}
	s.Stop()
	wantVerified(t, dir, append(store[:4:4], "--policy", "studio")...)
}

// journaled waits until the target's journal knows all that was erased.
func journaled(t *testing.T, data string) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(data, "musa.db"), Clock: time.Now, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	until(t, "the journal to know all", func() bool {
		var erased, waiting int
		err := d.SQL().QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM subjects WHERE state = 'erased'),
			(SELECT count(*) FROM journal_entries)`).Scan(&erased, &waiting)
		return err == nil && erased >= leave && waiting == 0
	})
}

// withoutJournal takes the journal away for a while.
func withoutJournal(t *testing.T, target string, while func()) {
	t.Helper()
	away := t.TempDir()
	entries, err := filepath.Glob(filepath.Join(target, "journal.*"))
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries in the journal, %v", len(entries), err)
	}
	move := func(from, to string) {
		for _, e := range entries {
			if err := os.Rename(filepath.Join(from, filepath.Base(e)), filepath.Join(to, filepath.Base(e))); err != nil {
				t.Fatal(err)
			}
		}
	}
	move(target, away)
	while()
	move(away, target)
}

// killed runs a command of the program and kills it at a random moment.
func killed(t *testing.T, r *rand.Rand, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command(nodes.Program(t), args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait(t, r, time.Second)
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // its error is the kill
}
