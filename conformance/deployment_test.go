package conformance_test

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa/blob"
	"musa/blob/s3"
	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/rigs"
	"musa/policies"
	"musa/proof"
)

// deployment is the program as its operator runs it: a process over stores of either kind,
// with a backup target.
type deployment struct {
	*nodes.Node
	t      *testing.T
	stores []string // flags that name them, for commands, too
	roots  []string // every folder that it may write to
	target string   // folder of the backup target
	// cluster is the folder of the database server, where there is one.
	cluster string
	driver  string // of its database, and where that is
	source  string
	kind    string
	blobs   blob.Store
}

// aGuestsDay is the beginning of the line that ends what guests bring and make, in the
// document's own form.
const aGuestsDay = "tier: [guest], from: created, keep: "

// brief is the conversational preset, whose guests' pictures live for another time.
func brief(t *testing.T, keep string) string {
	t.Helper()
	doc, err := policies.Load("conversational", nil)
	if err != nil {
		t.Fatal(err)
	}
	was := string(doc.YAML())
	text := strings.Replace(was, aGuestsDay+"24h", aGuestsDay+keep, 1)
	if text == was {
		t.Fatal("the preset no longer names a guest's 24 hours as it did")
	}
	return text
}

// deploy prepares a server under a policy; it writes nowhere but to the roots.
func deploy(t *testing.T, stores musatest.Stores, policy string) *deployment {
	t.Helper()
	dir := t.TempDir()
	d := &deployment{t: t, target: filepath.Join(dir, "copies"), driver: "sqlite3", kind: db.SQLite}
	file, data := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "data")
	for _, err := range []error{os.WriteFile(file, []byte(policy), 0o600), os.Mkdir(d.target, 0o700), os.MkdirAll(filepath.Join(data, "blobs"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	flags := []string{"--policy", file, "--backup", "file://" + d.target}
	var env []string
	if stores == musatest.Scaled {
		queue := t.TempDir()
		nats := rigs.NATSServer(t, "-sd", queue)
		bucket := rigs.S3(t)
		var cluster string
		d.source, cluster = rigs.Postgres(t)
		d.driver, d.kind = "pgx", db.PostgreSQL
		d.stores = []string{"--db", d.source, "--blobs", bucket.URL, "--s3-access-key", bucket.AccessKey, "--s3-secret-key", bucket.SecretKey}
		flags = append(flags, "--db", d.source, "--blobs", bucket.URL, "--nats", nats.URL)
		env = []string{"AWS_ACCESS_KEY_ID=" + bucket.AccessKey, "AWS_SECRET_ACCESS_KEY=" + bucket.SecretKey}
		d.cluster, d.roots = cluster, []string{bucket.Dir, queue}
		store, err := s3.New(t.Context(), s3.Config{URL: bucket.URL, AccessKey: bucket.AccessKey, SecretKey: bucket.SecretKey, HTTPClient: http.DefaultClient})
		if err != nil {
			t.Fatal(err)
		}
		d.blobs = store
	} else {
		d.source = "file:" + filepath.Join(data, "musa.db") + "?mode=ro&_busy_timeout=5000"
		d.blobs = aFolder(t, filepath.Join(data, "blobs"))
	}
	d.Node = nodes.Server(t, dir, flags...)
	d.Env = env
	d.roots = append(d.roots, data, d.Temp, d.Home, d.Log, d.target)
	return d
}

// command runs a command beside the server, over its stores.
func (d *deployment) command(args ...string) (said string, status int) {
	d.t.Helper()
	return nodes.Run(d.t, d.Dir, append(append(args, "--data", filepath.Join(d.Dir, "data"), "--keys", filepath.Join(d.Dir, "musa.keys")), d.stores...)...)
}

// operator is who `musa operator add` makes.
func (d *deployment) operator() *musatest.Client {
	d.t.Helper()
	said, status := d.command("operator", "add", "--json")
	var added struct{ Token string }
	// A warning may stand before the JSON.
	if err := json.Unmarshal([]byte(said[max(0, strings.Index(said, "{")):]), &added); err != nil || status != 0 || added.Token == "" {
		d.t.Fatalf("operator add: %d %v\n%s", status, err, said)
	}
	return &musatest.Client{T: d.t, Base: d.URL, Token: added.Token}
}

// record notes what must not be found once these are erased, and of the database server's
// files those that are this deployment's.
func (d *deployment) record(ids ...string) []proof.Trace {
	d.t.Helper()
	own, err := sql.Open(d.driver, d.source)
	if err != nil {
		d.t.Fatal(err)
	}
	defer own.Close()
	if d.cluster != "" {
		d.roots = append(d.roots, musatest.DatabaseFiles(d.t, own, d.cluster)...)
	}
	traces, err := proof.New(proof.Config{SQL: own, Dialect: d.kind, Blobs: d.blobs}).Record(d.t.Context(), ids...)
	if err != nil {
		d.t.Fatal(err)
	}
	return traces
}

// everywhere runs the program itself, under the preset with seconds for a guest's 24 hours,
// and looks into all that it and the servers behind it write: data, queue store, temporary
// files, what libraries leave at home, logs, and the backup made before.
func everywhere(t *testing.T, stores musatest.Stores) {
	d := deploy(t, stores, brief(t, "45s"))
	d.Start()
	g := d.Guest()
	photo := noise(t, 200)
	words := "make it warmer beside the lighthouse of Hvaldimir"
	a := g.Upload("grandmother-at-the-lake-1987.png", photo)
	out := g.Made(a.ID, musatest.Order{"prompt": words, "params": map[string]any{"scale": 1}})
	traces := d.record(a.ID, out.ID)
	await(t, time.Until(*a.Ends), "a backup is made", func() bool { // the schedule's own may be under way
		_, status := d.command("backup", "make", "--backup", "file://"+d.target)
		return status == 0
	})
	scanner := proof.NewScanner(append(traces, proof.Plain("prompt", []byte(words)), proof.Plain("name", []byte("grandmother-at-the-lake-1987")))...)
	look := func() map[string]bool {
		hits, err := scanner.Files(t.Context(), d.roots...)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, h := range hits {
			found[h.Kind] = true
		}
		return found
	}
	var found map[string]bool
	for range 3 { // a row may be on its way from the server's log to its table
		if found = look(); found[proof.RemainKey] && found[proof.RemainBytes] {
			break
		}
	}
	if time.Now().After(*a.Ends) {
		t.Fatal("the machine is too slow to tell anything")
	}
	if !found[proof.RemainKey] || !found[proof.RemainBytes] || found[proof.RemainPlain] {
		t.Fatalf("before the end the scan finds %v", found)
	}
	time.Sleep(time.Until(*out.Ends))
	wantGone(t, g, a.ID)
	wantGone(t, g, out.ID)
	await(t, time.Until(out.Ends.Add(time.Minute)), "no byte is left anywhere", func() bool { return len(look()) == 0 })
	wantReceipt(t, g, out.ID)
}
