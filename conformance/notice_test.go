package conformance_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/musatest/rigs"
	"musa/policies"
	"musa/policy"
)

// revised is a preset as a later version that takes effect on a day, with words replaced. It
// returns that version's name, too.
func revised(t *testing.T, preset, version string, effective time.Time, words ...string) (ref, text string) {
	t.Helper()
	doc, err := policies.Load(preset, nil)
	if err != nil {
		t.Fatal(err)
	}
	text = string(doc.YAML())
	words = append(words, "version: "+doc.Version, "version: "+version, "effective: "+doc.Effective, "effective: "+effective.UTC().Format(time.DateOnly))
	for i := 0; i < len(words); i += 2 {
		if !strings.Contains(text, words[i]) {
			t.Fatalf("the preset does not say %q", words[i])
		}
		text = strings.Replace(text, words[i], words[i+1], 1)
	}
	return preset + "/" + version, text
}

var guestResults = regexp.MustCompile(`(?m)^  - \{for: \[(?:original, )?output, prompt, history, share\],(?: tier: \[guest\],)? from: created, keep: 24h`)

// sixHours is a preset as a later version that keeps guests' results six hours instead of a
// day.
func sixHours(t *testing.T, preset string, effective time.Time) (version, text string) {
	t.Helper()
	doc, err := policies.Load(preset, nil)
	if err != nil {
		t.Fatal(err)
	}
	line := guestResults.FindString(string(doc.YAML()))
	if line == "" {
		t.Fatal("the preset no longer names a guest's 24 hours as it did")
	}
	version = effective.UTC().Format(time.DateOnly) + ".101"
	_, text = revised(t, preset, version, effective, line, strings.TrimSuffix(line, "24h")+"6h")
	return version, text
}

func text(t *testing.T, g *musatest.Client, path string) string {
	t.Helper()
	a := g.Do(http.MethodGet, path, nil)
	if a.Status != http.StatusOK {
		t.Fatalf("%s answers %d", path, a.Status)
	}
	return string(a.Body)
}

func wantWords(t *testing.T, where, said string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("%s lacks %q", where, w)
		}
	}
}

func wantNoWords(t *testing.T, where, said string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(said, w) {
			t.Errorf("%s says %q", where, w)
		}
	}
}

func fetched[T any](t *testing.T, g *musatest.Client, path string) (out T) {
	t.Helper()
	g.In(t).Want(http.StatusOK, g.In(t).Do(http.MethodGet, path, nil), &out)
	return out
}

// dated is how pages bear a day.
func dated(at time.Time) string { return `<time datetime="` + at.UTC().Format(time.DateOnly) + `"` }

// facts is the head of a page of the policy: its version and its dates.
func facts(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<dl class="facts">`)
	if !ok {
		t.Fatal("the page bears no facts")
	}
	head, _, _ := strings.Cut(rest, "</dl>")
	return head
}

// posted publishes a second version of a preset and looks how people are told: the page's
// version and date, every earlier version whole, and the difference in words.
func posted(t *testing.T, preset string) {
	eachStore(t, musatest.Rig{Policy: preset}, func(t *testing.T, s *musatest.Studio) {
		g := s.Guest()
		first, before := s.InForce(), s.Clock.Now()
		wantWords(t, "the page", facts(t, text(t, g, "/privacy")), first.Policy, first.Version, dated(before))
		s.Clock.Turn(40 * day)
		g = s.Guest()
		version, second := sixHours(t, preset, s.Clock.Now())
		ref := preset + "/" + version
		s.Publish(second)
		now := facts(t, text(t, g, "/privacy"))
		wantWords(t, "the page after it changed", now, version, dated(s.Clock.Now()))
		wantNoWords(t, "the page after it changed", now, first.Version, dated(before))

		archive := text(t, g, "/privacy/versions")
		for name, at := range map[string]time.Time{first.Ref(): before, ref: s.Clock.Now()} {
			wantWords(t, "the archive", archive, `href="/privacy/versions/`+name+`"`, dated(at))
		}
		old, new := text(t, g, "/privacy/versions/"+first.Ref()), text(t, g, "/privacy/versions/"+ref)
		was, is := saying(first.Render()), saying(s.InForce().Render())
		for path, words := range was {
			if now, ok := is[path]; ok && now != words {
				wantWords(t, "the earlier version", old, html.EscapeString(words))
				wantNoWords(t, "the earlier version", old, html.EscapeString(now))
				wantWords(t, "the version in force", new, html.EscapeString(now))
				wantNoWords(t, "the version in force", new, html.EscapeString(words))
			}
		}
		if got := fetched[api.Policy](t, g, "/api/policy/versions/"+first.Ref()); got.Document != string(first.YAML()) || got.State != "past" {
			t.Errorf("the archive holds another text of %s, in state %s", first.Ref(), got.State)
		}
		g.Problem(http.StatusNotFound, g.Do(http.MethodGet, "/api/policy/versions/"+preset+"/1999-01-01.1", nil))

		pair := "?" + url.Values{"from": {first.Ref()}, "to": {ref}}.Encode()
		differences := text(t, g, "/privacy/changes"+pair)
		wantWords(t, "the difference", differences, "24 hours", "6 hours", ">retention[3]")
		wantNoWords(t, "the difference", differences, "security.caveat", "7 years", "lifecycle.purge")
		if !strings.Contains(archive, "/privacy/changes"+strings.ReplaceAll(pair, "&", "&amp;")) {
			t.Error("the archive does not lead to the difference")
		}
		told := fetched[api.Comparison](t, g, "/api/policy/diff"+pair)
		raw, err := json.Marshal(told.Sections)
		if err != nil || len(told.Sections) == 0 {
			t.Fatalf("the API tells no difference: %v", err)
		}
		wantWords(t, "the API's difference", string(raw), "24 hours", "6 hours", "retention[3]")
	})
}

// saying is what each line of a document says.
func saying(sections []policy.Section) map[string]string {
	said := map[string]string{}
	for _, section := range sections {
		for _, line := range section.Sentences {
			said[line.Path] += line.Text
		}
	}
	return said
}

// TestChangesArePosted: a new version bears its date, the earlier ones stay readable, and the
// difference is told in words.
func TestChangesArePosted(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-30", func(t *testing.T) { posted(t, "enhancer") })
	conformance.Kept(t, "O-13", func(t *testing.T) { posted(t, "open-door") })
}

// TestDates: the page and the API say since when the policy holds and when it last changed.
func TestDates(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "C-49", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "conversational"}, func(t *testing.T, s *musatest.Studio) {
			wantDates := func(when, version string, effective, published time.Time) {
				t.Helper()
				g := s.Guest()
				p := fetched[api.Policy](t, g, "/api/policy")
				if p.Version.Version != version || !p.Since.Equal(effective) || !p.Published.Equal(published) {
					t.Errorf("%s the API tells of %s, in force since %v, changed %v; want %s, %v, %v", when, p.Version.Version, p.Since, p.Published, version, effective, published)
				}
				if document := effective.UTC().Format(time.DateOnly); version != s.Versions().List()[0].Doc.Version && p.Effective != document {
					t.Errorf("%s the document names %s, want %s", when, p.Effective, document)
				}
				head := facts(t, text(t, g, "/privacy"))
				said := regexp.MustCompile(`<time datetime="([^"]*)"`).FindAllStringSubmatch(head, -1)
				if len(said) != 2 || said[0][1] != effective.UTC().Format(time.DateOnly) || said[1][1] != published.UTC().Format(time.DateOnly) {
					t.Errorf("%s the page bears %v, want effective %v and published %v", when, said, effective, published)
				}
				wantWords(t, "the page's head", head, version)
			}
			first := s.Versions().List()[0]
			wantDates("at first", first.Doc.Version, first.Effective.Time(), first.Published.Time())

			s.Clock.Turn(10 * day)
			posting := s.Clock.Now().UTC()
			effective := posting.Truncate(day).Add(31 * day)
			version, second := sixHours(t, "conversational", effective)
			s.Publish(second)
			wantDates("while the second is announced", first.Doc.Version, first.Effective.Time(), first.Published.Time())
			s.Clock.Turn(effective.Sub(s.Clock.Now()) - time.Second)
			wantDates("a second before its day", first.Doc.Version, first.Effective.Time(), first.Published.Time())
			s.Clock.Turn(time.Second)
			wantDates("from its day on", version, effective, posting)
		})
	})
}

// TestOnPosting: a version decides from the next request on after it was posted.
func TestOnPosting(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "P-22", func(t *testing.T) {
		eachStore(t, musatest.Rig{Policy: "professional"}, func(t *testing.T, s *musatest.Studio) {
			g := s.Guest()
			out := g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			s.Clock.Turn(6*time.Hour + time.Second)
			g.Want(http.StatusOK, g.Content(out.ID), nil)
			_, second := sixHours(t, "professional", s.Clock.Now())
			s.Publish(second)
			wantGone(t, g, out.ID)
			after := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			if !after.Ends.Equal(after.Created.Add(6 * time.Hour)) {
				t.Errorf("made after the posting it ends %v, want six hours after %v", after.Ends, after.Created)
			}
			if err := s.Keeper.Reckon(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.Step()
			if got := g.Asset(out.ID); got.State != "purged" {
				t.Errorf("what the new version ended is %q after a step", got.State)
			}
		})
		t.Run("its date, archive and difference", func(t *testing.T) { posted(t, "professional") })
		t.Run("musa policy publish beside a server", func(t *testing.T) {
			for _, stores := range musatest.BothStores() {
				t.Run(string(stores), func(t *testing.T) { publishedBeside(t, stores) })
			}
		})
	})
}

// publishedBeside publishes with the command while a server runs over the same store.
func publishedBeside(t *testing.T, stores musatest.Stores) {
	dir := t.TempDir()
	var flags []string
	if stores == musatest.Scaled {
		address, _ := rigs.Postgres(t)
		flags = []string{"--db", address}
	}
	n := nodes.Server(t, dir, append([]string{"--policy", "professional"}, flags...)...)
	n.Start()
	g := n.Guest()
	version, second := sixHours(t, "professional", time.Now())
	file := filepath.Join(dir, "second.yaml")
	if err := os.WriteFile(file, []byte(second), 0o600); err != nil {
		t.Fatal(err)
	}
	publish := append([]string{"policy", "publish", file, "--data", filepath.Join(dir, "data")}, flags...)
	if said, status := nodes.Run(t, dir, publish...); status != 0 || !strings.Contains(said, version) {
		t.Fatalf("musa policy publish: status %d\n%s", status, said)
	}
	await(t, time.Second, "the server took the version up", func() bool {
		return fetched[api.Policy](t, g, "/api/policy").Version.Version == version
	})
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	if !a.Ends.Equal(a.Created.Add(6 * time.Hour)) {
		t.Errorf("made after it was taken up it ends %v, want six hours after %v", a.Ends, a.Created)
	}
	wantWords(t, "the page", facts(t, text(t, g, "/privacy")), version, dated(time.Now()))
	if said, status := nodes.Run(t, dir, append([]string{"policy", "publish", file, "--dry-run", "--data", filepath.Join(dir, "data")}, flags...)...); status != 0 {
		t.Errorf("the same version once more: status %d\n%s", status, said)
	}
}
