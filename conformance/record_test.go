package conformance_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/policies"
)

// TestRecordOfProcessing: a policy that leaves out what the law asks for is refused, and the
// record names what is held and nothing else.
func TestRecordOfProcessing(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-33", func(t *testing.T) {
		t.Run("a category without basis, end or recipients, a right without deadline", lawlessRefused)
		t.Run("the record names what a raw walk of the store finds", func(t *testing.T) {
			eachStore(t, musatest.Rig{Policy: "enhancer"}, recordOfAll)
		})
	})
}

// lawless turns the preset into one that leaves something out, for each category and right.
// Categories alone have no line of their own for these: their purposes, rules and processors
// name them.
func lawless(t *testing.T) (texts map[string]string, faults map[string]string) {
	t.Helper()
	doc, err := policies.Load("enhancer", nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(doc.YAML())
	texts, faults = map[string]string{}, map[string]string{}
	add := func(name, text, fault string) {
		if text == whole {
			t.Fatalf("%s: nothing was left out", name)
		}
		texts[name], faults[name] = text, fault
	}
	unlist := func(c, list string) string {
		return regexp.MustCompile(`(?m)^(.*`+list+`: \[)([^\]]*)(\].*)$`).ReplaceAllStringFunc(whole, func(line string) string {
			m := regexp.MustCompile(`^(.*` + list + `: \[)([^\]]*)(\].*)$`).FindStringSubmatch(line)
			names := slices.DeleteFunc(strings.Split(m[2], ", "), func(n string) bool { return n == c })
			return m[1] + strings.Join(names, ", ") + m[3]
		})
	}
	for _, c := range musa.Categories() {
		add("basis of "+string(c), unlist(string(c), "uses"), "categories."+string(c))
		add("end of "+string(c), unlist(string(c), "for"), string(c))
	}
	add("recipients", regexp.MustCompile(`(?m)^processors:.*\n`).ReplaceAllString(whole, ""), "processors")
	for _, r := range doc.Rights {
		line := regexp.MustCompile(`(?m)^(  ` + r.Name + `: \{.*?)(, )?within: [0-9a-z]+(.*)$`)
		add("deadline of "+r.Name, line.ReplaceAllString(whole, "$1$3"), "rights."+r.Name)
	}
	return texts, faults
}

func lawlessRefused(t *testing.T) {
	texts, faults := lawless(t)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		_, err := policies.Load("./lawless.yaml", func(string) ([]byte, error) { return []byte(texts[name]), nil })
		if err == nil || !strings.Contains(err.Error(), faults[name]) {
			t.Errorf("without the %s: %v", name, err)
		}
	}
	for _, name := range []string{"basis of original", "end of audit", "recipients", "deadline of erasure"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "policy.yaml")
		if err := os.WriteFile(file, []byte(texts[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, status := nodes.Run(t, dir, "policy", "lint", file); status == 0 || !strings.Contains(said, faults[name]) {
			t.Errorf("musa policy lint without the %s: status %d\n%s", name, status, said)
		}
		if said := nodes.Server(t, dir, "--policy", file).Fails(); !strings.Contains(said, faults[name]) {
			t.Errorf("the start without the %s says: %s", name, said)
		}
	}
}

// recordOfAll uses every feature, and compares the record that the operator downloads with
// the categories of the rows that SQL finds.
func recordOfAll(t *testing.T, s *musatest.Studio) {
	operator, officer := s.Staff(t, musa.RoleOperator), s.Staff(t, musa.RoleCompliance)
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	g.Made(a.ID, musatest.Order{"prompt": "make it warmer"})
	officer.Want(http.StatusCreated, officer.Do(http.MethodPost, "/api/admin/holds", map[string]string{"asset": a.ID, "reason": "a warrant"}), nil)
	for _, of := range []func(*testing.T, *musatest.Studio) (time.Time, func(*testing.T) int){
		threadLeft, surveyLeft, incidentOver, choicesLeft, workspaceLeft, triesForgotten} {
		of(t, s)
	}
	g.Want(http.StatusOK, g.Do(http.MethodPut, "/api/assets/"+a.ID+"/feedback", musatest.Order{"rating": 4}), nil)
	signedIn(t, s, s.Member().Email, phone)
	walked := walk(t, s)
	s.Clock.Turn(2 * day) // a day is over, and is counted
	if err := s.Usage.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	maps.Copy(walked, walk(t, s))

	for _, path := range []string{"/api/admin/record.md", "/privacy/record.md"} {
		file := operator.Do(http.MethodGet, path, nil)
		if file.Status != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s: status %d, disposition %q", path, file.Status, file.Header.Get("Content-Disposition"))
		}
		recorded := map[string]bool{}
		for _, m := range regexp.MustCompile("`categories\\.([a-z_]+)`").FindAllStringSubmatch(string(file.Body), -1) {
			recorded[m[1]] = true
		}
		if want, got := slices.Sorted(maps.Keys(walked)), slices.Sorted(maps.Keys(recorded)); !slices.Equal(want, got) {
			t.Errorf("a raw walk finds %v, %s names %v", want, path, got)
		}
	}
	wantWords(t, "the record", string(operator.Do(http.MethodGet, "/api/admin/record.md", nil).Body), "Recipients", "Time limits", "art. 30", s.InForce().Controller.Name)
	for _, nobody := range []*musatest.Client{g, {T: t, Base: s.URL}} {
		if got := nobody.Do(http.MethodGet, "/api/admin/record.md", nil).Status; got != http.StatusNotFound {
			t.Errorf("to who is no operator the file answers %d", got)
		}
	}
}

// walk goes over all rows of all tables, by SQL of its own, and names the categories of what
// lies there: an item's own, and otherwise its table's.
func walk(t *testing.T, s *musatest.Studio) map[string]bool {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	found := map[string]bool{}
	for _, table := range db.Tables() {
		what := "'" + string(table.Category) + "'"
		switch table.Name {
		case "assets", "records":
			what = "category"
		case "secrets": // what opens an item belongs to the item
			what = "(SELECT category FROM assets AS a WHERE a.id = secrets.id UNION ALL SELECT category FROM records AS r WHERE r.id = secrets.id)"
		}
		if table.Category == db.Technical {
			continue
		}
		rows, err := own.QueryContext(t.Context(), fmt.Sprintf("SELECT DISTINCT COALESCE(%s, '') FROM %s", what, table.Name))
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var c string
			if err := rows.Scan(&c); err != nil {
				t.Fatal(err)
			}
			if c != "" {
				found[c] = true
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return found
}

// TestBases: a person is told the purpose and the basis of what is done with what they have.
func TestBases(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "P-08", "the page tells for each category that is held its purposes and a basis of the four", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "professional"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true").ID, musatest.Order{"prompt": "make it warmer"})
			doc, page := s.InForce(), text(t, g, "/privacy")
			told := fetched[api.Policy](t, g, "/api/policy")
			for c := range walk(t, s) {
				if line, ok := doc.Categories.Get(c); !ok || line.Personal.Off() {
					continue // totals
				}
				purposes := 0
				for _, p := range doc.Purposes {
					if !p.Value.Uses.Has(c) {
						continue
					}
					purposes++
					if !slices.Contains([]string{"contract", "legitimate_interest", "consent", "legal_obligation"}, string(p.Value.Basis.Default)) {
						t.Errorf("%s is used for %s on the basis of %q", c, p.Name, p.Value.Basis.Default)
					}
					path := "purposes." + p.Name
					if !strings.Contains(page, ">"+path+"<") || sentence(told.Sections, path) == "" {
						t.Errorf("nobody is told on which basis %s is used for %s", c, p.Name)
					}
				}
				if purposes == 0 {
					t.Errorf("nothing says what %s is held for", c)
				}
			}
		})
	})
}

func sentence(sections []api.Section, path string) string {
	for _, s := range sections {
		for _, l := range s.Sentences {
			if l.Path == path {
				return l.Text
			}
		}
	}
	return ""
}
