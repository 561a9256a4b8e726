package proof_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/blob/files"
	"musa/db"
	"musa/proof"
)

var both = []string{db.SQLite, db.PostgreSQL}

// planted is one fault: how it comes into a store, and the one name under which it must
// be found. Statements are separated by semicolons; names in braces stand for the ids.
type planted struct {
	kind, where, sql string
	level            proof.Level
	spoil            func(t *testing.T, c *planting)
}

// planting is a store that a fault is being planted in.
type planting struct {
	*store
	dir  string // a copy of the blobs
	full string // file of the active asset's full form
}

const gone = "'su_00000000000000000000000000'"

var faults = map[string]planted{
	"asset past its end":               {kind: proof.FaultOverdue, where: "assets", level: proof.Quick, sql: "UPDATE assets SET due = {now} - 6000, ends = {now} - 6000 WHERE id = {active}"},
	"record past its end":              {kind: proof.FaultOverdue, where: "records", level: proof.Quick, sql: "UPDATE records SET due = {now} - 6000, ends = {now} - 6000 WHERE id = {record}"},
	"erased and not purged":            {kind: proof.FaultUnpurged, where: "assets", level: proof.Quick, sql: "UPDATE assets SET state = 'erased', erased = {now} - 61000, purged = 0 WHERE id = {purged}"},
	"write that never ended":           {kind: proof.FaultWriting, where: "blobs", level: proof.Quick, sql: "INSERT INTO blobs VALUES ('asset/x', {active}, 'full', 'writing', 0, {now} - 660001)"},
	"bytes not removed":                {kind: proof.FaultDoomed, where: "blobs", level: proof.Quick, sql: "INSERT INTO blobs VALUES ('asset/x', 'as_x', 'full', 'doomed', 0, {now} - 61000)"},
	"bytes of an erased asset":         {kind: proof.FaultDoomed, where: "blobs", level: proof.Quick, sql: "UPDATE assets SET state = 'erased', erased = {now} - 61000, uses = 0 WHERE id = {active}; DELETE FROM secrets WHERE id = {active}"},
	"old tombstone":                    {kind: proof.FaultTombstone, where: "assets", level: proof.Quick, sql: "UPDATE assets SET purged = {now} - 2678400001 WHERE id = {purged}"},
	"old tombstone of a record":        {kind: proof.FaultTombstone, where: "records", level: proof.Quick, sql: "UPDATE records SET state = 'erased', erased = {now} - 2678400001 WHERE id = {record}; DELETE FROM secrets WHERE id = {record}"},
	"session long expired":             {kind: proof.FaultSession, where: "sessions", level: proof.Quick, sql: "UPDATE sessions SET expires = {now} - 86400001"},
	"account past its end":             {kind: proof.FaultOverdue, where: "subjects", level: proof.Quick, sql: "UPDATE subjects SET state = 'closed', closed = {now} - 7000, ends = {now} - 6000 WHERE id = {owner}"},
	"voucher long expired":             {kind: proof.FaultExpired, where: "vouchers", level: proof.Quick, sql: "INSERT INTO vouchers SELECT 'vo_x', subject, 'reset', handle, created, {now} - 86400001, 0 FROM logins"},
	"API key long expired":             {kind: proof.FaultExpired, where: "api_keys", level: proof.Quick, sql: "UPDATE api_keys SET expires = {now} - 86400001"},
	"choice whose time is long over":   {kind: proof.FaultUnlapsed, where: "choices", level: proof.Quick, sql: "UPDATE choices SET expires = {now} - 86400001 WHERE name = 'training' AND item = ''"},
	"address of nobody":                {kind: proof.FaultOwner, where: "addresses", level: proof.Whole, sql: "INSERT INTO addresses SELECT 'su_x', handle, 1, 0, {now} FROM logins"},
	"address of an erased owner":       {kind: proof.FaultOwner, where: "addresses", level: proof.Whole, sql: "INSERT INTO addresses SELECT {erased}, handle, 1, 0, {now} FROM logins"},
	"workspace of nobody":              {kind: proof.FaultOwner, where: "workspaces", level: proof.Whole, sql: "UPDATE workspaces SET subject = 'su_x'"},
	"concerned and not there":          {kind: proof.FaultOwner, where: "affected", level: proof.Whole, sql: "INSERT INTO affected VALUES ('in_x', 'su_x', 0, 0)"},
	"event that nobody chains":         {kind: proof.FaultUnchained, where: "audit_events", level: proof.Quick, sql: "UPDATE audit_events SET seq = NULL, at = {now} - 60001"},
	"receipt that nobody logs":         {kind: proof.FaultUnlogged, where: "receipts", level: proof.Quick, sql: "INSERT INTO receipts SELECT 're_x', subject, batch, item, {now} - 60001, sealed, leaf, -1 FROM receipts WHERE item = {purged}"},
	"receipt that stays a promise":     {kind: proof.FaultPending, where: "receipts", level: proof.Quick, sql: "INSERT INTO receipts SELECT 're_x', {erased}, batch, item, {now}, sealed, leaf, -2 FROM receipts WHERE item = {purged}; UPDATE subjects SET closed = {now} - 86400001, receipt = 're_x' WHERE id = {erased}"},
	"runner that fell silent":          {kind: proof.FaultSilent, where: "jobs", level: proof.Quick, sql: "UPDATE jobs SET beat = {now} - 600001 WHERE id = {running}"},
	"table without a category":         {kind: proof.FaultTable, where: "extra", level: proof.Quick, sql: "CREATE TABLE extra (id TEXT PRIMARY KEY)"},
	"column without a category":        {kind: proof.FaultColumn, where: "jobs.prompt", level: proof.Quick, sql: "ALTER TABLE jobs ADD COLUMN prompt TEXT NOT NULL DEFAULT ''"},
	"table that is gone":               {kind: proof.FaultMissing, where: "leases", level: proof.Quick, sql: "DROP TABLE leases"},
	"another keyset":                   {kind: proof.FaultKeyset, where: "instance", level: proof.Quick, sql: "UPDATE instance SET keyset = 'mk_other'"},
	"no keyset":                        {kind: proof.FaultKeyset, where: "instance", level: proof.Quick, sql: "DELETE FROM instance"},
	"key of a purged asset":            {kind: proof.FaultKeySurvives, where: "assets", level: proof.Whole, sql: "INSERT INTO secrets SELECT {purged}, subject, wrapped, sealed FROM secrets WHERE id = {active}"},
	"key of an erased record":          {kind: proof.FaultKeySurvives, where: "records", level: proof.Whole, sql: "UPDATE records SET state = 'erased', erased = {now} WHERE id = {record}"},
	"key of an erased owner":           {kind: proof.FaultKeySurvives, where: "subjects", level: proof.Whole, sql: "INSERT INTO subject_keys SELECT {erased}, wrapped FROM subject_keys WHERE subject = {owner}"},
	"lost key of an asset":             {kind: proof.FaultKeyMissing, where: "assets", level: proof.Whole, sql: "DELETE FROM secrets WHERE id = {active}"},
	"lost key of a record":             {kind: proof.FaultKeyMissing, where: "records", level: proof.Whole, sql: "DELETE FROM secrets WHERE id = {record}"},
	"lost key of an owner":             {kind: proof.FaultKeyMissing, where: "subjects", level: proof.Whole, sql: "DELETE FROM subject_keys WHERE subject = {owner}"},
	"key without item":                 {kind: proof.FaultKeyStray, where: "secrets", level: proof.Whole, sql: "UPDATE secrets SET id = 'rc_x' WHERE id = {record}; DELETE FROM records WHERE id = {record}"},
	"key without owner":                {kind: proof.FaultKeyStray, where: "subject_keys", level: proof.Whole, sql: "INSERT INTO subject_keys SELECT " + gone + ", wrapped FROM subject_keys WHERE subject = {owner}"},
	"key of another owner":             {kind: proof.FaultKeyMisplaced, where: "assets", level: proof.Whole, sql: "UPDATE secrets SET subject = {erased} WHERE id = {active}"},
	"asset of nobody":                  {kind: proof.FaultOwner, where: "assets", level: proof.Whole, sql: "UPDATE assets SET owner = " + gone + " WHERE id = {active}; UPDATE secrets SET subject = " + gone + " WHERE id = {active}"},
	"asset outlives its owner":         {kind: proof.FaultOutlives, where: "assets", level: proof.Whole, sql: "UPDATE assets SET owner = {erased} WHERE id = {active}; UPDATE secrets SET subject = {erased} WHERE id = {active}"},
	"end moved":                        {kind: proof.FaultEnd, where: "assets", level: proof.Whole, sql: "UPDATE assets SET ends = ends + 1 WHERE id = {active}"},
	"no end at all":                    {kind: proof.FaultEnd, where: "records", level: proof.Whole, sql: "UPDATE records SET ends = 0 WHERE id = {record}"},
	"state against time":               {kind: proof.FaultState, where: "assets", level: proof.Whole, sql: "UPDATE assets SET purged = 0 WHERE id = {purged}"},
	"owner's state against time":       {kind: proof.FaultState, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET closed = 0 WHERE id = {erased}; UPDATE subjects SET state = 'dormant' WHERE id = {erased}; INSERT INTO subject_keys SELECT {erased}, wrapped FROM subject_keys WHERE subject = {owner}"},
	"unknown category":                 {kind: proof.FaultCategory, where: "assets", level: proof.Whole, sql: "UPDATE assets SET category = 'misc' WHERE id = {active}"},
	"unknown policy version":           {kind: proof.FaultVersion, where: "records", level: proof.Whole, sql: "UPDATE records SET policy_version = '9' WHERE id = {record}"},
	"changed policy":                   {kind: proof.FaultPolicy, where: "policy_versions", level: proof.Whole, sql: "UPDATE policy_versions SET document = 'policy: other'"},
	"wrong number of uses":             {kind: proof.FaultUses, where: "assets", level: proof.Whole, sql: "UPDATE assets SET uses = 0 WHERE id = {used}"},
	"wrong bytes":                      {kind: proof.FaultBytes, where: "assets", level: proof.Whole, sql: "UPDATE assets SET bytes = bytes - 1 WHERE id = {active}"},
	"asset of nothing":                 {kind: proof.FaultHollow, where: "assets", level: proof.Whole, sql: "UPDATE blobs SET role = 'thumb' WHERE asset = {active}"},
	"no receipt":                       {kind: proof.FaultReceipt, where: "assets", level: proof.Whole, sql: "UPDATE receipts SET item = '' WHERE item = {purged}"},
	"blob of a purged asset":           {kind: proof.FaultPurgedBlob, where: "assets", level: proof.Whole, sql: "INSERT INTO blobs VALUES ('asset/x', {purged}, 'full', 'doomed', 0, {now})"},
	"lineage of nothing":               {kind: proof.FaultEdge, where: "sources", level: proof.Whole, sql: "INSERT INTO sources VALUES ({used}, 'as_x')"},
	"inputs of no job":                 {kind: proof.FaultEdge, where: "job_inputs", level: proof.Whole, sql: "INSERT INTO job_inputs VALUES ('jo_x', 0, {used})"},
	"session of an erased owner":       {kind: proof.FaultSignedIn, where: "subjects", level: proof.Whole, sql: "UPDATE sessions SET subject = {erased}"},
	"live blob of no asset":            {kind: proof.FaultBlobItem, where: "blobs", level: proof.Whole, sql: "UPDATE blobs SET asset = 'as_x' WHERE asset = {active} AND role = 'thumb'; UPDATE assets SET bytes = (SELECT size FROM blobs WHERE asset = {active}) WHERE id = {active}"},
	"account off its entries":          {kind: proof.FaultLedger, where: "ledger_accounts", level: proof.Whole, sql: "UPDATE ledger_accounts SET balance = balance + 1"},
	"account below zero":               {kind: proof.FaultNegative, where: "ledger_accounts", level: proof.Whole, sql: "{unchecked}; INSERT INTO ledger_accounts VALUES ({erased}, -5, 0); INSERT INTO ledger_entries VALUES ('le_x', {erased}, '', 'charge', -5, 0, {now})"},
	"entries of no account":            {kind: proof.FaultEntries, where: "ledger_entries", level: proof.Whole, sql: "INSERT INTO ledger_entries VALUES ('le_x', {erased}, '', 'grant', 5, 0, {now})"},
	"credits of an ended job":          {kind: proof.FaultHeld, where: "ledger_entries", level: proof.Whole, sql: "UPDATE ledger_accounts SET held = held + 3; DELETE FROM ledger_entries WHERE job = {done} AND kind = 'capture'"},
	"job ended twice":                  {kind: proof.FaultTwice, where: "ledger_entries", level: proof.Whole, sql: "INSERT INTO ledger_entries VALUES ('le_x', {owner}, {done}, 'release', 3, -3, {now}); UPDATE ledger_accounts SET balance = balance + 3, held = held - 3"},
	"open job without its credits":     {kind: proof.FaultJobHold, where: "jobs", level: proof.Whole, sql: "UPDATE jobs SET held = 9 WHERE id = {running}"},
	"ended job without an end":         {kind: proof.FaultJobState, where: "jobs", level: proof.Whole, sql: "UPDATE jobs SET ended = 0 WHERE id = {done}"},
	"forged receipt":                   {kind: proof.FaultForged, where: "receipts", level: proof.Whole, sql: "UPDATE receipts SET leaf = (SELECT leaf FROM receipts WHERE position = 3) WHERE position = 5"},
	"receipt taken away":               {kind: proof.FaultReceiptGap, where: "receipts", level: proof.Whole, sql: "DELETE FROM receipts WHERE item = {purged}; UPDATE assets SET owner = {erased} WHERE id = {purged}"},
	"log hash changed":                 {kind: proof.FaultLog, where: "log_hashes", level: proof.Whole, sql: "UPDATE log_hashes SET hash = (SELECT hash FROM log_hashes WHERE position = 0) WHERE position = 2"},
	"log hash gone":                    {kind: proof.FaultLog, where: "log_hashes", level: proof.Whole, sql: "DELETE FROM log_hashes WHERE position = 7"},
	"log cut":                          {kind: proof.FaultLogCut, where: "checkpoints", level: proof.Whole, sql: "DELETE FROM checkpoints WHERE size = 11"},
	"log rewritten before a signature": {kind: proof.FaultCheckpoint, where: "checkpoints", level: proof.Whole, sql: "UPDATE checkpoints SET note = REPLACE((SELECT c.note FROM checkpoints AS c WHERE c.size = 9), '9', '6') WHERE size = 6"},
	"prompt in a text column":          {kind: proof.FaultClear, where: "jobs.code", level: proof.Whole, sql: "UPDATE jobs SET code = 'a castle at dawn' WHERE id = {done}"},
	"JSON in a sealed column":          {kind: proof.FaultClear, where: "secrets.sealed", level: proof.Whole, sql: `UPDATE secrets SET sealed = {json} WHERE id = {record}`},
	"JSON in a sealed event":           {kind: proof.FaultClear, where: "audit_events.sealed", level: proof.Whole, sql: `UPDATE audit_events SET sealed = {json} WHERE seq = 3`},
	"key that lingers":                 {kind: proof.FaultLingers, where: "strays", level: proof.Quick, sql: "INSERT INTO strays (item, at) VALUES ('lo_x', {now} - 60001)"},
	"payment past its end":             {kind: proof.FaultPayment, where: "ledger_entries", level: proof.Quick, sql: "INSERT INTO ledger_entries VALUES ('le_x', {owner}, '', 'grant', 0, 0, {now} - 221011200001)"},
	"mail past its end":                {kind: proof.FaultMail, where: "mails", level: proof.Quick, sql: "INSERT INTO mails VALUES ('ml_x', {owner}, 'reset', '', '', 'failed', {now} - 2678400001, 0, 1, 0, '')"},
	"sent mail past its end":           {kind: proof.FaultMail, where: "mails", level: proof.Quick, sql: "INSERT INTO mails VALUES ('ml_x', {owner}, 'reset', '', '', 'sent', {now} - 691200001, 0, 1, {now} - 691200001, '')"},
	"adoption of an unknown version":   {kind: proof.FaultVersion, where: "adoptions", level: proof.Whole, sql: "UPDATE adoptions SET version = '9'"},
	"no that counts as a yes":          {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE choices SET given = (1 = 0) WHERE name = 'training' AND item = ''"},
	"no to a picture that counts not":  {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE choices SET given = (1 = 0) WHERE item = {active}"},
	"yes that nobody said":             {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET consents = 'training marketing' WHERE id = {owner}"},
	"yes whose time is over":           {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE choices SET expires = {now} - 86400001 WHERE name = 'training'"},
	"yes that counts for longer":       {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET consents = 'training@9999999999999' WHERE id = {owner}"},
	"restriction that counts not":      {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET restricted = 0 WHERE id = {owner}"},
	"objection that counts not":        {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET objections = '' WHERE id = {owner}"},
	"workspace that trains":            {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "INSERT INTO workspaces VALUES ({owner}, {now}, 0, '', '', '', '', 0)"},
	"log that goes on":                 {kind: proof.FaultStanding, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET unlogged = 0 WHERE id = {owner}"},
	"suspended without a reason":       {kind: proof.FaultState, where: "subjects", level: proof.Whole, sql: "DELETE FROM suspensions"},
	"suspended and at work":            {kind: proof.FaultState, where: "subjects", level: proof.Whole, sql: "UPDATE subjects SET state = 'active' WHERE state = 'suspended'"},
	"prompt in a list":                 {kind: proof.FaultClear, where: "subjects.consents", level: proof.Whole, sql: "UPDATE subjects SET consents = 'A castle, at dawn' WHERE id = {owner}"},
	"login of an erased owner":         {kind: proof.FaultSignedIn, where: "subjects", level: proof.Whole, sql: "UPDATE logins SET subject = {erased}"},
	"bytes without a row": {kind: proof.FaultOrphan, where: "blob store", level: proof.Whole, spoil: func(t *testing.T, c *planting) {
		_, err := c.blobs.Put(t.Context(), "asset/nobody", strings.NewReader("\x01"+string(noise(90))))
		must(t, err)
	}},
	"row without bytes": {kind: proof.FaultLost, where: "blob store", level: proof.Whole, spoil: func(t *testing.T, c *planting) { must(t, os.Remove(c.full)) }},
	"bytes cut":         {kind: proof.FaultSize, where: "blob store", level: proof.Whole, spoil: func(t *testing.T, c *planting) { must(t, os.Truncate(c.full, 1000)) }},
	"unfinished write": {kind: proof.FaultPartial, where: "blob store", level: proof.Whole, spoil: func(t *testing.T, c *planting) {
		must(t, os.WriteFile(c.full+"+abc", noise(50), 0o600))
		old := start.Time().Add(-time.Hour)
		must(t, os.Chtimes(c.full+"+abc", old, old))
	}},
	"picture in the blob store": {kind: proof.FaultClear, where: "blob store", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.overwrite(t, []byte("\x89PNG\r\n\x1a\n"), 0)
	}},
	"pixels in the blob store": {kind: proof.FaultClear, where: "blob store", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		pixels := make([]byte, 60_000)
		for i := range pixels {
			pixels[i] = byte(i / 40)
		}
		c.overwrite(t, pixels, 70_000)
	}},
	"foreign format in the blob store": {kind: proof.FaultFormat, where: "blob store", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.overwrite(t, []byte{9, 0xfe}, 0)
	}},
	"picture among the files": {kind: proof.FaultClear, where: "shot.jpg", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		must(t, os.WriteFile(filepath.Join(c.dir, "..", "stray", "shot.jpg"), []byte("\xff\xd8\xff\xe0 and so on"), 0o600))
	}},
	"owner's key left in a page of SQLite": {kind: proof.FaultRelic, where: "copy", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		path := filepath.Join(c.dir, "..", "stray", "copy")
		d, err := sql.Open("sqlite3", "file:"+path)
		must(t, err)
		_, err = d.Exec("CREATE TABLE subject_keys (subject TEXT NOT NULL, wrapped BLOB NOT NULL) STRICT; INSERT INTO subject_keys VALUES (?, ?)", string(lost), ownersKey())
		must(t, err, d.Close())
	}},
	"owner's key left in a page of PostgreSQL": {kind: proof.FaultRelic, where: "copy", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.stray(t, "\x02\x08\x18="+string(lost)+"\x87"+string(ownersKey()))
	}},
	"login's key left in a file": {kind: proof.FaultRelic, where: "copy", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.stray(t, "\x04\x33"+string(musa.NewLoginID(start.Time()))+string(c.owner)+string(wrapped()))
	}},
	"voucher's key left in a file": {kind: proof.FaultRelic, where: "copy", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.stray(t, "="+string(musa.NewVoucherID(start.Time()))+"="+string(c.owner)+"\x7d"+string(wrapped()))
	}},
	"key left in a file": {kind: proof.FaultRelic, where: "copy", level: proof.Deep, spoil: func(t *testing.T, c *planting) {
		c.stray(t, "\x04\x33"+string(c.purged[0])+string(c.owner)+string(wrapped()))
	}},
}

// lost is an owner that nobody knows any more.
var lost = musa.NewSubjectID(start.Time())

// ownersKey looks as an owner's wrapped key does.
func ownersKey() []byte { return append([]byte{1, 1}, noise(64)...) }

// stray leaves a row in a file that the database knows nothing of.
func (c *planting) stray(t *testing.T, row string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(c.dir, "..", "stray", "copy"), append(noise(3<<20), row...), 0o600))
}

func (c *planting) overwrite(t *testing.T, b []byte, at int64) {
	t.Helper()
	f, err := os.OpenFile(c.full, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(b, at)
	must(t, err, f.Close())
}

// Issue 3: every kind of fault, on each store where it can occur, is found and named.
func TestEachFaultIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := open(t, dialect)
			s.furnish(t)
			for name, f := range faults {
				t.Run(name, func(t *testing.T) { f.run(t, s) })
			}
			t.Run("none in a clean store", func(t *testing.T) {
				if found := s.look(t, s.inspector(), s.options()); len(found) > 0 {
					t.Errorf("found %+v", found)
				}
			})
		})
	}
}

func (s *store) look(t testing.TB, i *proof.Inspector, o proof.Options) (found []proof.Fault) {
	t.Helper()
	tally, err := i.Store(t.Context(), o, func(f proof.Fault) { found = append(found, f) })
	must(t, err)
	if o.Level > proof.Quick && (tally["assets"] < 13 || tally["blob store"] < 3) {
		t.Errorf("looked at %v only", tally)
	}
	return found
}

func (f planted) run(t *testing.T, s *store) {
	ctx := context.Background()
	c := &planting{store: &store{}, dir: filepath.Join(t.TempDir(), "blobs")}
	*c.store = *s
	copyFolder(t, s.dir, c.dir)
	stray := filepath.Join(c.dir, "..", "stray")
	must(t, os.Mkdir(stray, 0o700))
	var err error
	c.blobs, err = files.New(c.dir)
	must(t, err)
	c.full = c.file(t, "asset/"+string(s.active[3:])+"-full")
	exec := func(statement string) {
		_, err := s.raw.ExecContext(ctx, statement)
		must(t, err)
	}
	exec("BEGIN")
	defer func() {
		exec("ROLLBACK")
		if s.Dialect() == db.SQLite {
			exec("PRAGMA ignore_check_constraints = off")
		}
	}()
	for statement := range strings.SplitSeq(f.sql, "; ") {
		if statement != "" {
			exec(s.fill(statement))
		}
	}
	if f.spoil != nil {
		f.spoil(t, c)
	}
	o := s.options()
	o.Roots = []string{c.dir, stray}
	i := proof.New(proof.Config{SQL: s.raw, Dialect: s.Dialect(), Blobs: c.blobs})
	named := func(found []proof.Fault) bool {
		return slices.ContainsFunc(found, func(x proof.Fault) bool {
			return x.Kind == f.kind && strings.HasSuffix(x.Where, f.where) && x.Words != ""
		})
	}
	o.Level = f.level
	if found := s.look(t, i, o); !named(found) {
		t.Errorf("%s in %s is not among what was found: %+v", f.kind, f.where, found)
	}
	if f.level == proof.Quick {
		return
	}
	o.Level = f.level - 1
	if found := s.look(t, i, o); named(found) {
		t.Errorf("level %d finds what only level %d should", o.Level, f.level)
	}
}

// file finds where the blob store keeps a name.
func (c *planting) file(t testing.TB, name string) (path string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(c.dir, strings.ReplaceAll(name, "/", ".")))
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("%d files of %s", len(found), name)
	}
	return found[0]
}

// fill puts ids and this database's ways of writing into a statement.
func (s *store) fill(statement string) string {
	quote := func(id string) string { return "'" + id + "'" }
	unchecked, json := "PRAGMA ignore_check_constraints = on", "CAST('{\"prompt\": \"a castle\"}' AS BLOB)"
	if s.Dialect() == db.PostgreSQL {
		unchecked, json = "ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_balance_check", "convert_to('{\"prompt\": \"a castle\"}', 'UTF8')"
	}
	return strings.NewReplacer("{now}", strconv.FormatInt(int64(start.Add(time.Minute)), 10),
		"{owner}", quote(string(s.owner)), "{erased}", quote(string(s.erased)), "{active}", quote(string(s.active)), "{used}", quote(string(s.used)),
		"{purged}", quote(string(s.purged[4])), "{record}", quote(string(s.record)), "{done}", quote(string(s.done)), "{running}", quote(string(s.running)),
		"{unchecked}", unchecked, "{json}", json).Replace(statement)
}

// Both sides of each bound of time.
func TestNothingIsLateBeforeItsBound(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := open(t, dialect)
			s.furnish(t)
			o := s.options()
			o.Level = proof.Quick
			ends := start.Add(time.Hour)
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.CancelJob(ctx, s.running)
				return err
			})
			for _, side := range []struct {
				now  musa.Millis
				want int
			}{{ends.Add(o.EraseWithin), 0}, {ends.Add(o.EraseWithin) + 1, 3}} {
				o.Now = side.now
				if found := s.look(t, s.inspector(), o); len(found) != side.want {
					t.Errorf("at %d: %d faults, want %d: %+v", side.now, len(found), side.want, found)
				}
			}
		})
	}
}
