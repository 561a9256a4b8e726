//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"musa/blob"
	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
)

// look checks, in the database of a store at rest, that each job ended once, in its row,
// in the audit log and in the ledger, and that no write is left half done.
func look(t *testing.T, d *db.DB, c *crowd) {
	t.Helper()
	count := func(query string) (n int) {
		t.Helper()
		if err := d.SQL().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	if n := count("SELECT count(*) FROM jobs"); n < c.n {
		t.Errorf("%d jobs in the database, %d were confirmed", n, c.n)
	}
	for what, query := range map[string]string{
		"jobs without an end":                "SELECT count(*) FROM jobs WHERE state NOT IN ('succeeded', 'failed') OR ended = 0",
		"jobs with several ends, or none":    "SELECT count(*) FROM jobs j WHERE (SELECT count(*) FROM audit_events e WHERE e.object = j.id AND e.action IN ('job_succeeded', 'job_failed', 'job_cancelled')) <> 1",
		"jobs not held once":                 "SELECT count(*) FROM jobs j WHERE (SELECT count(*) FROM ledger_entries e WHERE e.job = j.id AND e.kind = 'hold') <> 1",
		"successes not captured once":        "SELECT count(*) FROM jobs j WHERE state = 'succeeded' AND (SELECT count(*) FROM ledger_entries e WHERE e.job = j.id AND e.kind = 'capture') <> 1",
		"failures not released once":         "SELECT count(*) FROM jobs j WHERE state = 'failed' AND (SELECT count(*) FROM ledger_entries e WHERE e.job = j.id AND e.kind = 'release') <> 1",
		"jobs captured and released":         "SELECT count(*) FROM ledger_entries a JOIN ledger_entries b ON a.job = b.job WHERE a.kind = 'capture' AND b.kind = 'release'",
		"accounts that still hold":           "SELECT count(*) FROM ledger_accounts WHERE held <> 0",
		"accounts that do not add up":        "SELECT count(*) FROM ledger_accounts a WHERE a.balance <> (SELECT sum(e.amount) FROM ledger_entries e WHERE e.subject = a.subject)",
		"successes without their one result": "SELECT count(*) FROM jobs j WHERE state = 'succeeded' AND (SELECT count(*) FROM assets a WHERE a.job = j.id AND a.category = 'output' AND a.state = 'active') <> 1",
		"failures with a result":             "SELECT count(*) FROM jobs j JOIN assets a ON a.job = j.id WHERE j.state = 'failed' AND a.category = 'output'",
		"assets still in use":                "SELECT count(*) FROM assets WHERE uses <> 0",
		"blobs half written":                 "SELECT count(*) FROM blobs WHERE state = 'writing'",
		"blobs without an asset":             "SELECT count(*) FROM blobs b LEFT JOIN assets a ON a.id = b.asset WHERE a.id IS NULL",
		"live assets without two blobs":      "SELECT count(*) FROM assets a WHERE a.state = 'active' AND (SELECT count(*) FROM blobs b WHERE b.asset = a.id AND b.state = 'live') <> 2",
	} {
		if n := count(query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// wantBlobs checks that a store holds the blobs that the database knows, and no more.
func wantBlobs(t *testing.T, d *db.DB, store blob.Store) {
	t.Helper()
	known := map[string]bool{}
	rows, err := d.SQL().QueryContext(t.Context(), "SELECT name FROM blobs")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		known[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for info, err := range store.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if info.Partial || !known[info.Name] {
			t.Errorf("the blob %s belongs to nothing", info.Name)
		}
		delete(known, info.Name)
	}
	for name := range known {
		t.Errorf("the blob %s is lost", name)
	}
}

// wantEmpty checks that folders hold no file.
func wantEmpty(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, f fs.DirEntry, err error) error {
			if err == nil && !f.IsDir() {
				t.Errorf("%s was left", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wantVerified has the program's own audit find nothing.
func wantVerified(t *testing.T, dir string, flags ...string) {
	t.Helper()
	said, status := nodes.Run(t, dir, append([]string{"verify"}, flags...)...)
	if status != 0 {
		t.Errorf("musa verify ended with status %d:\n%s", status, said)
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// receive takes from a channel, within nodes.Patience.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(nodes.Patience):
		t.Fatalf("waited %s for %s", nodes.Patience, what)
		panic("unreachable")
	}
}

// answer is what came of a request to a server that may have been dying: no status means
// that nobody knows.
type answer struct {
	ID     string `json:"id"`
	status int
}

// try makes one request and reads the id that a good answer holds. It pauses after a
// failure, so that a dead server is not asked a thousand times.
func try(c *musatest.Client, r *http.Request, want int) (got answer) {
	r.URL.Host = c.Base[len("http://"):]
	r.Header.Set("Authorization", "Bearer "+c.Token)
	res, err := http.DefaultClient.Do(r.WithContext(c.T.Context()))
	if err == nil {
		defer res.Body.Close()
		got.status = res.StatusCode
		if got.status == want && json.NewDecoder(res.Body).Decode(&got) == nil {
			return got
		}
	}
	select {
	case <-time.After(20 * time.Millisecond):
	case <-c.T.Context().Done():
	}
	return answer{status: got.status}
}

func request(path string, body any) *http.Request {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // of maps and strings
	}
	return post(path, "application/json", bytes.NewReader(raw))
}

func upload(save bool, data []byte) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	// A buffer takes everything.
	_ = w.WriteField("save", strconv.FormatBool(save))
	part, _ := w.CreateFormFile("file", "photo.png")
	_, _ = part.Write(data)
	_ = w.Close()
	return post("/api/assets", w.FormDataContentType(), &body)
}

func post(path, kind string, body io.Reader) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://server"+path, body)
	if err != nil {
		panic(err) // of constants
	}
	r.Header.Set("Content-Type", kind)
	return r
}
