package proof_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"
	"golang.org/x/mod/sumdb/note"

	"musa"
	"musa/audit"
	"musa/blob/files"
	"musa/db"
	"musa/musatest/rigs"
	"musa/proof"
	"musa/seal"
)

var start = musa.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

// store is a database and a folder of blobs as the product makes them, and a connection of
// the test's own to spoil them with.
type store struct {
	*db.DB
	blobs   *files.Store
	dir     string // of the blobs
	dbDir   string // of all files that the database keeps
	raw     *sql.DB
	now     *atomic.Int64
	signer  note.Signer
	owner   musa.SubjectID
	erased  musa.SubjectID
	active  musa.AssetID
	used    musa.AssetID // by the job that runs
	purged  []musa.AssetID
	record  musa.RecordID
	done    musa.JobID
	running musa.JobID
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// wrapped looks as a wrapped key does: its version, then noise.
func wrapped() []byte { return append([]byte{1}, noise(60)...) }

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (s *store) write(t testing.TB, change func(ctx context.Context, tx db.Tx) error) {
	t.Helper()
	must(t, s.Write(context.Background(), change))
}

// open makes an empty store.
func open(t testing.TB, dialect string) *store {
	t.Helper()
	s := &store{now: new(atomic.Int64), dir: t.TempDir()}
	s.now.Store(int64(start))
	conf := db.Config{Clock: func() time.Time { return musa.Millis(s.now.Load()).Time() }}
	var err error
	if dialect == db.PostgreSQL {
		conf.URL, s.dbDir = rigs.Migrated(t)
		parsed, err := pgx.ParseConfig(conf.URL)
		must(t, err)
		parsed.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		s.raw = sql.OpenDB(keeping{stdlib.GetConnector(*parsed)})
	} else {
		s.dbDir = t.TempDir()
		conf.Path = filepath.Join(s.dbDir, "musa.db")
		s.raw, err = sql.Open("sqlite3", "file:"+conf.Path+"?_busy_timeout=5000&_secure_delete=off")
		must(t, err)
	}
	s.DB, err = db.Open(t.Context(), conf)
	must(t, err)
	// One connection: what it changed and did not commit is what the inspector sees.
	s.raw.SetMaxOpenConns(1)
	t.Cleanup(func() { must(t, s.raw.Close(), s.DB.Close()) })
	s.blobs, err = files.New(s.dir)
	must(t, err)
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	s.signer, err = audit.NewSigner("proof.test/log", key)
	must(t, err)
	return s
}

// keeping connects to PostgreSQL and keeps a connection although a transaction is open on
// it, which the pool would throw away.
type keeping struct{ driver.Connector }

type kept struct{ *stdlib.Conn }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return kept{c.(*stdlib.Conn)}, nil
}

func (kept) ResetSession(context.Context) error { return nil }

func (s *store) inspector() *proof.Inspector {
	return proof.New(proof.Config{SQL: s.SQL(), Dialect: s.Dialect(), Blobs: s.blobs})
}

// put stores sealed bytes under a name, with its row.
func (s *store) put(t testing.TB, a musa.AssetID, role musa.BlobRole, plain []byte) int64 {
	t.Helper()
	name := "asset/" + string(a[3:]) + "-" + string(role)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return tx.InsertBlob(ctx, db.Blob{Name: name, Asset: a, Role: role, Created: tx.Now})
	})
	var sealed bytes.Buffer
	w, err := seal.NewWriter(&sealed, seal.NewKey(), string(a))
	must(t, err)
	_, err = w.Write(plain)
	must(t, err, w.Close())
	size, err := s.blobs.Put(t.Context(), name, &sealed)
	must(t, err)
	s.write(t, func(ctx context.Context, tx db.Tx) error { return tx.LiveBlob(ctx, db.Blob{Name: name, Size: size}) })
	return size
}

// hang stores an active picture with its small form.
func (s *store) hang(t testing.TB) musa.AssetID {
	t.Helper()
	id := musa.NewAssetID(start.Time())
	size := s.put(t, id, musa.BlobFull, noise(150_000)) + s.put(t, id, musa.BlobThumb, noise(3_000))
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return tx.InsertAsset(ctx, db.Asset{ID: id, Owner: s.owner, Author: s.owner, Category: musa.CategoryOriginal, State: musa.AssetActive,
			Tier: musa.TierMember, Created: tx.Now, Due: start.Add(time.Hour), Rule: "retention[0]", Reason: musa.EndPolicy, PolicyVersion: "1", Bytes: size},
			db.Secret{Wrapped: wrapped(), Sealed: append([]byte{1}, noise(80)...)})
	})
	return id
}

// erase destroys a key and removes bytes and rows, as erasure does.
func (s *store) erase(t testing.TB, id musa.AssetID) {
	t.Helper()
	var blobs []db.Blob
	s.write(t, func(ctx context.Context, tx db.Tx) (err error) {
		if blobs, err = tx.BlobsOf(ctx, id); err != nil {
			return err
		}
		_, err = tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: id, Receipt: musa.NewReceiptID(start.Time())})
		return err
	})
	for _, b := range blobs {
		must(t, s.blobs.Remove(t.Context(), b.Name))
		s.write(t, func(ctx context.Context, tx db.Tx) error { return tx.DropBlob(ctx, b.Name) })
	}
}

// purge confirms an erased asset and gives it a receipt.
func (s *store) purge(t testing.TB, id musa.AssetID) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		list, err := tx.PurgeAssets(ctx, id)
		if err != nil {
			return err
		}
		leaf := sha256.Sum256(noise(32))
		return tx.InsertReceipts(ctx, db.Receipt{ID: list[0].Receipt, Subject: s.owner, Batch: musa.NewBatchID(start.Time()), Item: string(id),
			Created: tx.Now, Sealed: noise(200), Leaf: leaf[:]})
	})
}

// furnish fills the store with one of everything that a healthy studio has.
func (s *store) furnish(t testing.TB) {
	t.Helper()
	s.owner, s.erased = musa.NewSubjectID(start.Time()), musa.NewSubjectID(start.Time())
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		document := "policy: test\n"
		sum := sha256.Sum256([]byte(document))
		if err := tx.PublishPolicy(ctx, db.PolicyVersion{Version: "1", SHA256: sum[:], Document: document, Effective: start}); err != nil {
			return err
		}
		if _, err := tx.Instance(ctx, "mk_test"); err != nil {
			return err
		}
		for _, id := range []musa.SubjectID{s.owner, s.erased} {
			err := tx.InsertSubject(ctx, db.Subject{ID: id, Kind: musa.SubjectPerson, Tier: musa.TierMember, State: musa.SubjectActive,
				Created: tx.Now, LastSeen: tx.Now, PolicyVersion: "1"}, wrapped())
			if err != nil {
				return err
			}
		}
		if err := tx.InsertSession(ctx, db.Session{ID: musa.NewSessionID(start.Time()), Subject: s.owner, Digest: noise(33), Created: tx.Now,
			LastSeen: tx.Now, Expires: start.Add(time.Hour)}); err != nil {
			return err
		}
		_, err := tx.EraseSubject(ctx, s.erased)
		return err
	})
	s.active, s.used = s.hang(t), s.hang(t)
	s.say(t)
	for range 11 {
		id := s.hang(t)
		s.erase(t, id)
		s.purge(t, id)
		s.purged = append(s.purged, id)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			if len(s.purged)%3 == 0 {
				_, err := tx.SequenceReceipts(ctx, 100, s.signer)
				return err
			}
			return tx.AppendAudit(ctx, db.AuditEvent{Action: "assets_purged", Role: musa.RoleSystem, Object: string(id)})
		})
	}
	s.record = musa.NewRecordID(start.Time())
	s.done, s.running = musa.NewJobID(start.Time()), musa.NewJobID(start.Time())
	job := db.Job{Owner: s.owner, Author: s.owner, Kind: musa.KindEnhance, Lane: "local", State: musa.JobQueued, Engine: "local", Created: start, Held: 3, PolicyVersion: "1"}
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		err := tx.InsertRecord(ctx, db.Record{ID: s.record, Owner: s.owner, Category: musa.CategoryPrompt, Tier: musa.TierMember, Created: tx.Now,
			Due: start.Add(time.Hour), Rule: "retention[1]", State: musa.AssetActive, PolicyVersion: "1"}, db.Secret{Wrapped: wrapped(), Sealed: noise(90)})
		if err != nil {
			return err
		}
		if err := tx.Grant(ctx, s.owner, 100); err != nil {
			return err
		}
		for _, id := range []musa.JobID{s.done, s.running} {
			job.ID = id
			if err := tx.InsertJob(ctx, job, s.used); err != nil {
				return err
			}
			if err := tx.Hold(ctx, s.owner, id, 3); err != nil {
				return err
			}
			if _, _, err := tx.ClaimJob(ctx, db.Claim{Job: id, Runner: "node-1"}); err != nil {
				return err
			}
		}
		if _, err := tx.FinishJob(ctx, s.done, 1, musa.JobSucceeded, ""); err != nil {
			return err
		}
		if _, err := tx.EndUse(ctx, s.done); err != nil {
			return err
		}
		if err := tx.Capture(ctx, s.owner, s.done, 3); err != nil {
			return err
		}
		if err := tx.InsertSource(ctx, s.active, s.used); err != nil {
			return err
		}
		if _, err := tx.SequenceReceipts(ctx, 100, s.signer); err != nil {
			return err
		}
		_, err = tx.SequenceAudit(ctx, 100, s.signer)
		return err
	})
}

// say gives the owner a standing with what it comes from, and sets somebody aside.
func (s *store) say(t testing.TB) {
	t.Helper()
	aside, team := musa.NewSubjectID(start.Time()), musa.NewSubjectID(start.Time())
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		for _, c := range []db.Choice{{Name: "training", Given: true, Expires: tx.Now.Add(time.Hour)}, {Name: "training", Item: s.active, Given: true}, {Name: "marketing"}, {Name: "interaction_log"}} {
			c.Subject, c.Via, c.PolicyVersion = s.owner, "settings", "1"
			if err := tx.Choose(ctx, c); err != nil {
				return err
			}
		}
		for _, c := range []db.Case{{Kind: "restriction", Outcome: "restricted"}, {Kind: "objection", Outcome: "upheld", Purpose: musa.PurposeSecure}} {
			c.ID, c.Subject, c.State, c.Received, c.Answered = musa.NewCaseID(tx.Now.Time()), s.owner, musa.CaseAnswered, tx.Now, tx.Now
			if err := tx.InsertCase(ctx, c); err != nil {
				return err
			}
		}
		st := musa.Standing{Consents: []string{"training", "training:" + string(s.active)}, Objections: []musa.Purpose{musa.PurposeSecure}, Restricted: true, Unlogged: true}
		return errors.Join(tx.SetStanding(ctx, s.owner, st, nil),
			tx.InsertLogin(ctx, db.Login{ID: musa.NewLoginID(start.Time()), Subject: s.owner, Kind: musa.LoginPasskey, Handle: noise(32), Created: tx.Now}),
			tx.Adopt(ctx, "1", start),
			tx.InsertAPIKey(ctx, db.APIKey{ID: musa.NewKeyID(start.Time()), Subject: s.owner, Digest: noise(32), Scopes: "see make", Created: tx.Now, Expires: tx.Now.Add(time.Hour)}),
			tx.InsertSurvey(ctx, db.Survey{ID: "sv_1", Created: tx.Now, Content: `{"title": "How was it?"}`}),
			tx.Count(ctx, db.Tally{Survey: "sv_1", Question: "q1", Choice: "Quite good", N: 1}),
			tx.InsertNews(ctx, db.News{ID: "nw_1", Kind: "news", Words: `{"en": "A new network is here"}`}),
			tx.InsertSubject(ctx, db.Subject{ID: team, Kind: musa.SubjectWorkspace, Tier: musa.TierPaid, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now, PolicyVersion: "1"}, wrapped()),
			tx.InsertWorkspace(ctx, db.Workspace{Subject: team, Processors: "gemini stripe", SetBy: s.owner, SetAt: tx.Now}),
			tx.InsertSubject(ctx, db.Subject{ID: aside, Kind: musa.SubjectPerson, Tier: musa.TierMember, State: musa.SubjectActive, Created: tx.Now, LastSeen: tx.Now, PolicyVersion: "1"}, wrapped()),
			tx.Suspend(ctx, db.Suspension{Subject: aside, Clause: "age.reported", At: tx.Now, Due: tx.Now.Add(time.Hour)}))
	})
}

// options are those of a deep look a minute after everything was made.
func (s *store) options() proof.Options {
	tables := map[string][]string{}
	for _, table := range db.Tables() {
		for column := range table.Columns {
			tables[table.Name] = append(tables[table.Name], column)
		}
	}
	return proof.Options{Now: start.Add(time.Minute), Level: proof.Deep, EraseWithin: 5 * time.Second, PurgeWithin: time.Minute, PaymentsFor: 7 * 365 * 24 * time.Hour,
		MailsFor: 30 * 24 * time.Hour, SentMailsFor: 7 * 24 * time.Hour,
		Tables: tables, Categories: musa.Categories(), Keyset: "mk_test", Roots: []string{s.dir}}
}

func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	must(t, os.CopyFS(to, os.DirFS(from)))
}
