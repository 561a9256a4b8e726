package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/conformance"
	"musa/db"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/policies"
	"musa/proof"
)

// ending is one class of data under the professional preset: how some of it comes to be, the
// moment at which the document ends it, and what of it a raw look finds at a time.
type ending struct {
	name   string
	tables string // whose rows it is about
	make   func(t *testing.T, s *musatest.Studio) (end time.Time, left func(t *testing.T) int)
}

// classes are all classes of data that the server can hold, each by every rule that ends it;
// those first whose making takes time. A table that none of them names fails the test. A table
// or a column without a class fails db's TestEveryColumnIsDeclared, and with it the build, and
// `musa verify` names it.
var classes = []ending{
	{"audit, receipts", "receipts", receipted},
	{"original, after its job", "assets blobs secrets", originalWorkedOn},
	{"original, whose job never comes", "assets blobs secrets", originalUnused},
	{"original, saved by a member", "assets blobs secrets", originalSaved},
	{"output of a guest", "assets blobs secrets sources", outputOf(musa.TierGuest, 24*time.Hour)},
	{"output of a member", "assets blobs secrets sources", outputOf(musa.TierMember, 7*day)},
	{"output of somebody who pays", "assets blobs secrets sources", outputOf(musa.TierPaid, 30*day)},
	{"prompt", "records secrets", recordOf(musa.CategoryPrompt)},
	{"history", "records secrets", recordOf(musa.CategoryHistory)},
	{"account and credential of a guest", "subjects subject_keys sessions", guestAway},
	{"payment of a guest", "ledger_accounts ledger_entries", guestPaid},
	{"account, closed", "subjects subject_keys", accountClosed},
	{"account, never closed", "subjects subject_keys roles", accountLeft},
	{"credential, closed", "sessions", credentialClosed},
	{"payment of a member", "ledger_accounts ledger_entries", memberPaid},
	{"generation log", "jobs job_inputs usage_days", jobLogged},
	{"evidence", "holds assets secrets", evidenceHeld},
	{"audit, in segments", "audit_events audit_heads", audited},
}

// neverPersonal are tables of totals, which the document keeps without end.
var neverPersonal = []string{"usage_totals", "tallies"}

// TestEndings: every class of data is there a second before its end, and is not after it.
func TestEndings(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "P-17", func(t *testing.T) {
		t.Run("every table has a class whose end is looked at", everyTableEnds)
		t.Run("each class is there a second before its end, and then no more", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "professional"}, func(t *testing.T, s *musatest.Studio) { bothSidesOfAll(t, s, classes) })
		})
		t.Run("and so is what people say of themselves and ask for", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "professional"}, func(t *testing.T, s *musatest.Studio) { bothSidesOfAll(t, s, peoplesClasses) })
		})
		t.Run("what was said before goes, and its person stays", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "professional"}, choiceSuperseded)
		})
		t.Run("scratch goes with its work", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "professional", Engine: &enginetest.Null{Tiles: 3, Hold: 300 * time.Millisecond}}, scratchEnds)
		})
		t.Run("totals stay, and lead to nobody", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "professional"}, totalsStay)
		})
		t.Run("each class of the document has an end and a manner", everyClassEnds)
		t.Run("the start refuses a policy that leaves an end open", openEndRefused)
	})
}

func everyTableEnds(t *testing.T) {
	looked := slices.Clone(neverPersonal)
	for _, class := range append(slices.Clip(classes), peoplesClasses...) {
		looked = append(looked, strings.Fields(class.tables)...)
	}
	for _, table := range db.Tables() {
		if table.Category != db.Technical && !slices.Contains(looked, table.Name) {
			t.Errorf("nothing looks at the end of table %s, category %s", table.Name, table.Category)
		}
	}
}

// bothSidesOfAll makes some of each class and turns the clock from end to end, to a second
// before each and to the end itself.
func bothSidesOfAll(t *testing.T, s *musatest.Studio, classes []ending) {
	type made struct {
		name string
		end  time.Time
		left func(*testing.T) int
	}
	var all []made
	for _, class := range classes {
		end, left := class.make(t, s)
		all = append(all, made{class.name, end, left})
		if left(t) == 0 {
			t.Fatalf("%s: the look does not find it when it was made", class.name)
		}
	}
	slices.SortStableFunc(all, func(a, b made) int { return a.end.Compare(b.end) })
	for i := 0; i < len(all); {
		end, next := all[i].end, i
		for next < len(all) && all[next].end.Equal(end) {
			next++
		}
		if eve := end.Add(-time.Second); eve.After(s.Clock.Now()) {
			s.Clock.Turn(eve.Sub(s.Clock.Now()))
			sweep(t, s)
		}
		for _, m := range all[i:next] {
			if m.left(t) == 0 {
				t.Errorf("%s: a second before its end it is gone", m.name)
			}
		}
		s.Clock.Turn(end.Sub(s.Clock.Now()))
		sweep(t, s)
		for _, m := range all[i:next] {
			if n := m.left(t); n != 0 {
				t.Errorf("%s: at its end a raw look finds %d of it", m.name, n)
			}
		}
		i = next
	}
}

// sealedLeft looks for an item's keys, sealed words and bytes in the raw files of the database
// and the blob store.
func sealedLeft(t *testing.T, s *musatest.Studio, ids ...string) func(*testing.T) int {
	t.Helper()
	traces, err := s.Eraser.Proof.Record(t.Context(), ids...)
	if err != nil || len(traces) == 0 {
		t.Fatalf("%d traces of %v: %v", len(traces), ids, err)
	}
	scanner := proof.NewScanner(traces...)
	return func(t *testing.T) int {
		t.Helper()
		for range 2 { // a server's checkpoint may move a row while the scan is between two files
			if n := len(scan(t, scanner, s)); n > 0 {
				return n
			}
		}
		return 0
	}
}

// rowsLeft counts rows by SQL over a connection of the test's own.
func rowsLeft(s *musatest.Studio, queries ...string) func(*testing.T) int {
	return func(t *testing.T) (sum int) {
		t.Helper()
		own := s.OwnSQL()
		defer own.Close()
		for _, q := range queries {
			var n int
			if err := own.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+q).Scan(&n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
}

// scratchEnds looks at a write while it goes on, and after its job.
func scratchEnds(t *testing.T, s *musatest.Studio) {
	g := s.Guest()
	a := uploaded(t, g, "save", "true")
	g.Made(a.ID, nil)
	s.Step()
	if n := rowsLeft(s, "blobs WHERE state <> 'live'")(t); n != 0 {
		t.Errorf("%d blobs of the work are left", n)
	}
	wantBlobs(t, s, 4)
	own := s.OwnSQL()
	defer own.Close()
	name := "asset/" + strings.Repeat("a", 26)
	if _, err := s.Blobs.Put(t.Context(), name, strings.NewReader("\x01what a crash left")); err != nil {
		t.Fatal(err)
	}
	if _, err := own.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO blobs (name, asset, role, state, size, created) VALUES ('%s', 'as_x', 'full', 'writing', 0, %d)",
		name, musa.At(s.Clock.Now()))); err != nil {
		t.Fatal(err)
	}
	s.Clock.Turn(11 * time.Minute)
	sweep(t, s)
	if n := rowsLeft(s, "blobs WHERE state <> 'live'")(t); n != 0 {
		t.Errorf("%d blobs of a crash are left", n)
	}
	wantBlobs(t, s, 4)
}

// totalsStay looks at totals ten years after everybody whose work they count is gone.
func totalsStay(t *testing.T, s *musatest.Studio) {
	var ids []string
	for range 20 {
		g := s.Guest()
		g.Made(uploaded(t, g).ID, nil)
		ids = append(ids, string(g.Subject()))
	}
	s.Clock.Turn(2 * day)
	counted := func() string {
		if err := s.Usage.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		rows, err := s.DB.SQL().QueryContext(t.Context(), "SELECT day, kind, model, CAST(jobs AS TEXT) FROM usage_totals ORDER BY day, kind, model")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var row [4]string
			if err := rows.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&out, row)
		}
		return out.String()
	}
	before := counted()
	if !strings.Contains(before, string(musa.KindEnhance)) {
		t.Fatalf("nothing was counted: %q", before)
	}
	for _, id := range ids {
		if strings.Contains(before, id) {
			t.Error("totals name somebody")
		}
	}
	for range 2 { // the rows that say that they are gone go, too
		s.Clock.Turn(1830 * day)
		sweep(t, s)
	}
	if n := rowsLeft(s, "subjects", "jobs", "records", "assets")(t); n != 0 {
		t.Errorf("ten years on %d rows of people are left", n)
	}
	if after := counted(); !strings.Contains(after, strings.TrimSpace(before)) {
		t.Errorf("totals went from %q to %q", before, after)
	}
}

// everyClassEnds looks that the page tells an end and a manner of each class that is collected.
func everyClassEnds(t *testing.T) {
	s := musatest.New(t, musatest.Rig{Policy: "professional"})
	doc, page := s.InForce(), text(t, s.Guest(), "/privacy")
	for _, c := range doc.Categories {
		if c.Value.Collected.Off() {
			continue
		}
		said := 0
		for i, rule := range doc.Retention {
			if !slices.Contains(rule.For, c.Name) {
				continue
			}
			said++
			if !strings.Contains(page, fmt.Sprintf(">retention[%d]<", i)) {
				t.Errorf("the page does not say by which end retention[%d] ends %s", i, c.Name)
			}
			if rule.Keep.Indefinite() && !c.Value.Personal.Off() {
				t.Errorf("%s is personal and never ends", c.Name)
			}
		}
		if said == 0 {
			t.Errorf("no rule ends %s", c.Name)
		}
	}
	wantWords(t, "the page", page, "its key is destroyed", ">lifecycle.erase<")
}

// openEndRefused starts the program on documents each of which leaves one end to an event that
// may never come.
func openEndRefused(t *testing.T) {
	doc, err := policies.Load("professional", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ drop, says string }{
		"an upload that no job uses": {"  - {for: [original], from: created, keep: 24h, unless: [saved, in_use]}\n", "event never comes"},
		"what is saved":              {"  - {for: [original], when: [saved], same_as: output}\n", "never ends"},
		"a class without an end":     {"  - {for: [audit], from: created, keep: 24mo, in: segments}\n", "no rule ends it"},
		"a mail that is never sent":  {"  - {for: [mail], from: created, keep: 30d}\n", "event never comes"},
		"a tier that keeps for good": {"  - {for: [output, prompt, history, share], tier: [member], from: created, keep: 7d}\n", "no rule ends it in tier"},
	} {
		t.Run(name, func(t *testing.T) {
			was := string(doc.YAML())
			if !strings.Contains(was, c.drop) {
				t.Fatalf("the preset does not say %q", c.drop)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "policy.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(was, c.drop, "", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if said := nodes.Server(t, dir, "--policy", file).Fails(); !strings.Contains(said, c.says) {
				t.Errorf("the start says: %s", said)
			}
		})
	}
}
