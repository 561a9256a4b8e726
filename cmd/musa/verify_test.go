package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/audit"
	"musa/blob/files"
	"musa/db"
	"musa/musatest/rigs"
	"musa/seal"
)

// verified is a small store as the product makes it, on SQLite or PostgreSQL, with its
// connections closed or open.
type verified struct {
	dir, url, keys, key string
	db                  *db.DB
	receipt             []byte // of an erasure, as the API gives it
}

func verifyMust(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// verifyBuild makes a store with chained events and a logged receipt.
func verifyBuild(t *testing.T, url string) verified {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	v := verified{dir: dir, url: url, keys: filepath.Join(dir, "musa.keys")}
	keys, err := seal.Create(v.keys)
	verifyMust(t, err)
	_, v.key, err = verifyKey(keys)
	verifyMust(t, err)
	signer, err := audit.NewSigner("musa/"+keys.ID(), keys.Signer())
	verifyMust(t, err)
	d, err := db.Open(ctx, db.Config{URL: url, Path: filepath.Join(dir, "musa.db"), Clock: time.Now})
	verifyMust(t, err)
	t.Cleanup(func() { verifyMust(t, d.Close()) })
	v.db = d
	_, err = files.New(filepath.Join(dir, "blobs"))
	verifyMust(t, err)
	st := audit.Statement{What: "erased", Item: "as_x", Category: musa.CategoryOriginal, Erased: 1, Purged: 2, PolicyVersion: "1", Rule: "retention[0]"}
	var salt audit.Salt
	rand.Read(salt[:])
	leaf, id := audit.Leaf(salt, st.Bytes()), musa.NewReceiptID(time.Now())
	verifyMust(t, d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Instance(ctx, keys.ID()); err != nil {
			return err
		}
		for range 9 {
			if err := tx.AppendAudit(ctx, db.AuditEvent{Action: "seen", Role: musa.RoleSystem, Object: "as_x"}); err != nil {
				return err
			}
		}
		if err := tx.InsertReceipts(ctx, db.Receipt{ID: id, Item: "as_x", Created: tx.Now, Sealed: []byte{1, 0xff}, Leaf: leaf[:]}); err != nil {
			return err
		}
		if _, err := tx.SequenceReceipts(ctx, 10, signer); err != nil {
			return err
		}
		_, err := tx.SequenceAudit(ctx, 100, signer)
		return err
	}))
	verifyMust(t, d.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		r, point, proof, err := tx.ProveReceipt(ctx, id)
		if err != nil {
			return err
		}
		out := struct {
			audit.Receipt
			Verifier string `json:"verifier"`
			Logged   bool   `json:"logged"`
		}{audit.Receipt{ID: id, Statement: st, Salt: salt[:], Index: r.Position, Size: point.Size, Proof: proof, Checkpoint: point.Note}, v.key, true}
		v.receipt, err = json.Marshal(out)
		return err
	}))
	return v
}

// musa runs a command against the store.
func (v verified) musa(words ...string) (status int, said string) {
	var out, errs bytes.Buffer
	status = run(words, &out, &errs)
	return status, out.String() + errs.String()
}

func (v verified) flags(more ...string) []string {
	flags := []string{"--data=" + v.dir, "--keys=" + v.keys}
	if v.url != "" {
		flags = append(flags, "--db="+v.url)
	}
	return append(flags, more...)
}

func (v verified) spoil(t *testing.T, statements ...string) {
	t.Helper()
	driver, dsn := "pgx", v.url
	if v.url == "" {
		driver, dsn = "sqlite3", "file:"+filepath.Join(v.dir, "musa.db")+"?_busy_timeout=5000"
	}
	raw, err := sql.Open(driver, dsn)
	verifyMust(t, err)
	defer raw.Close()
	for _, s := range statements {
		_, err := raw.Exec(s)
		verifyMust(t, err)
	}
}

func TestVerifyTellsCleanFromFaulty(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kind string
		spoil      []string
	}{
		{"clean", "", nil},
		{"changed event", auditBroken, []string{"UPDATE audit_events SET object = 'as_y' WHERE seq = 4"}},
		{"missing event", auditBroken, []string{"DELETE FROM audit_events WHERE seq = 4"}},
		{"end cut off", auditCut, []string{"DELETE FROM audit_events WHERE seq > 7"}},
		{"beginning cut off", auditCut, []string{"DELETE FROM audit_events WHERE seq < 4"}},
		{"everything cut off", auditCut, []string{"DELETE FROM audit_events"}},
		{"forged head", auditSignature, []string{"UPDATE audit_heads SET note = REPLACE(note, 'musa audit head', 'musa audit HEAD')"}},
		{"forged checkpoint", auditSignature, []string{"UPDATE checkpoints SET note = REPLACE(note, 'musa/', 'muse/')"}},
		{"unmapped table", "unmapped_table", []string{"CREATE TABLE extra (id TEXT PRIMARY KEY)"}},
	} {
		for _, dialect := range []string{"sqlite", "postgres"} {
			t.Run(c.name+" on "+dialect, func(t *testing.T) {
				t.Parallel()
				url := ""
				if dialect == "postgres" {
					url, _ = rigs.Postgres(t)
				}
				v := verifyBuild(t, url)
				v.spoil(t, c.spoil...)
				want := 0
				if c.kind != "" {
					want = 1
				}
				for _, level := range [][]string{nil, {"--deep"}, {"--json"}} {
					status, said := v.musa(append([]string{"verify"}, v.flags(level...)...)...)
					if status != want || !strings.Contains(said, c.kind) || c.kind == "" && !strings.Contains(said, "clean") {
						t.Errorf("musa verify %v: status %d, want %d with %q:\n%s", level, status, want, c.kind, said)
					}
				}
				chain := want
				if !strings.HasPrefix(c.kind, "audit_") && c.name != "forged head" {
					chain = 0
				}
				if status, said := v.musa(append([]string{"audit", "verify"}, v.flags()...)...); status != chain {
					t.Errorf("musa audit verify: status %d, want %d:\n%s", status, chain, said)
				}
			})
		}
	}
}

// The first broken event is named.
func TestAuditVerifyNamesTheFirstBrokenEvent(t *testing.T) {
	t.Parallel()
	v := verifyBuild(t, "")
	v.spoil(t, "UPDATE audit_events SET action = 'unseen' WHERE seq IN (5, 7)")
	status, said := v.musa(append([]string{"audit", "verify"}, v.flags()...)...)
	if status != 1 || !strings.Contains(said, "audit_events 5: was changed") || strings.Contains(said, "events 7") {
		t.Errorf("status %d:\n%s", status, said)
	}
}

// No server needs to run, and looking changes nothing.
func TestVerifyWithoutAServer(t *testing.T) {
	t.Parallel()
	v := verifyBuild(t, "")
	verifyMust(t, v.db.Close())
	before, err := os.ReadFile(filepath.Join(v.dir, "musa.db"))
	verifyMust(t, err)
	if status, said := v.musa(append([]string{"verify"}, v.flags("--deep")...)...); status != 0 {
		t.Errorf("status %d:\n%s", status, said)
	}
	after, err := os.ReadFile(filepath.Join(v.dir, "musa.db"))
	verifyMust(t, err)
	if !bytes.Equal(before, after) {
		t.Error("looking changed the database")
	}
}

// What cannot be looked at is neither clean nor faulty.
func TestVerifySaysWhenItCouldNotLook(t *testing.T) {
	t.Parallel()
	v := verifyBuild(t, "")
	for _, flags := range [][]string{
		{"--data=" + t.TempDir(), "--keys=" + v.keys},
		{"--data=" + v.dir, "--keys=" + filepath.Join(t.TempDir(), "none.keys")},
		{"--data=" + v.dir, "--keys=" + v.keys, "--policy=nonesuch"},
		{"--data=" + v.dir, "--keys=" + v.keys, "--db=postgres://nobody@127.0.0.1:1/none"},
	} {
		if status, said := v.musa(append([]string{"verify"}, flags...)...); status != 2 || strings.Contains(said, "clean") {
			t.Errorf("verify %v: status %d\n%s", flags, status, said)
		}
	}
	empty := t.TempDir()
	v.musa("verify", "--data="+empty, "--keys="+v.keys)
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("looking made %v (%v)", left, err)
	}
	if status, said := v.musa("audit", "verify", "--data="+v.dir, "--verifier="+v.key); status != 0 {
		t.Errorf("with the public key alone: status %d\n%s", status, said)
	}
}

func TestReceiptVerify(t *testing.T) {
	t.Parallel()
	v := verifyBuild(t, "")
	for _, c := range []struct {
		name, from, to string
		flags          []string
		status         int
		says           string
	}{
		{"whole", "", "", []string{"--key=" + v.key}, 0, "holds"},
		{"whole, by its own key", "", "", nil, 0, "Compare it"},
		{"another item", "as_x", "as_y", []string{"--key=" + v.key}, 1, "does not hold"},
		{"another log's key", "", "", []string{"--key=" + verifyBuild(t, "").key}, 1, "does not hold"},
		{"not yet logged", `"logged":true`, `"logged":false`, nil, 1, "fetch it again"},
		{"no key", `"verifier":"`, `"was":"`, nil, 2, "--key"},
		{"no receipt", "{", "[", nil, 2, "no receipt"},
	} {
		file := filepath.Join(t.TempDir(), "receipt.json")
		verifyMust(t, os.WriteFile(file, bytes.ReplaceAll(v.receipt, []byte(c.from), []byte(c.to)), 0o600))
		if c.from == "" {
			verifyMust(t, os.WriteFile(file, v.receipt, 0o600))
		}
		status, said := v.musa(append([]string{"receipt", "verify", file}, c.flags...)...)
		if status != c.status || !strings.Contains(said, c.says) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", c.name, status, c.status, c.says, said)
		}
	}
}
