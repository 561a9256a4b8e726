package web_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/db"
	"musa/lang"
	"musa/policies"
	"musa/policy"
	"musa/retention"
	"musa/web"
)

// variant is the studio preset in another version with other words.
func variant(t *testing.T, version, effective, old, new string) *policy.Document {
	t.Helper()
	text := string(preset(t).YAML())
	if !strings.Contains(text, old) {
		t.Fatalf("the preset does not say %q", old)
	}
	text = regexp.MustCompile(`(?m)^version: .*$`).ReplaceAllString(text, "version: "+version)
	text = regexp.MustCompile(`(?m)^effective: .*$`).ReplaceAllString(text, "effective: "+effective)
	doc, err := policies.Parse("./variant.yaml", func(string) ([]byte, error) { return []byte(strings.ReplaceAll(text, old, new)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func day(t *testing.T, date string) musa.Millis {
	t.Helper()
	d, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return musa.At(d)
}

// three is a house with a former, a present and a coming version, on 1 December 2026.
func three(t *testing.T) web.Config {
	t.Helper()
	former := variant(t, "1.1", "2026-01-01", "keep: 24h", "keep: 24h")
	present := variant(t, "1.2", "2026-11-22", "keep: 24h", "keep: 20h")
	coming := variant(t, "1.3", "2026-12-22", "keep: 24h", "keep: 10h")
	versions, err := policy.NewVersions(
		policy.Adoption{Doc: former, Published: day(t, "2025-12-01"), Effective: day(t, "2026-01-01")},
		policy.Adoption{Doc: present, Published: day(t, "2026-10-22"), Effective: day(t, "2026-11-22")},
		policy.Adoption{Doc: coming, Published: day(t, "2026-11-30"), Effective: day(t, "2026-12-22")})
	if err != nil {
		t.Fatal(err)
	}
	c := config(present)
	c.Versions = func() *policy.Versions { return versions }
	c.Clock = func() time.Time { return day(t, "2026-12-01").Time() }
	return c
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	return strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(bodyOf(t, r), " "))), " ")
}

func want(t *testing.T, page, name string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("%s does not say %q", name, w)
		}
	}
}

// Both dates of the version in force stand on the page, and the coming one is announced
// with its differences. Promise C-49.
func TestPrivacyPageTellsItsVersionAndTheNext(t *testing.T) {
	t.Parallel()
	h := web.New(three(t))
	privacy := text(t, ask(h, "/privacy"))
	want(t, privacy, "/privacy", "Version 1.2", "Took effect 22 November 2026", "Published 22 October 2026",
		"From 22 December 2026 another version of the privacy policy applies. See the differences")
	want(t, text(t, ask(h, "/privacy", "Accept-Language", "de")), "/privacy in German", "In Kraft seit 22. November 2026",
		"Veröffentlicht 22. Oktober 2026", "Ab 22. Dezember 2026 gilt eine andere Fassung")
	want(t, bodyOf(t, ask(h, "/privacy")), "/privacy", `href="/privacy/changes?from=studio%2F1.2&amp;to=studio%2F1.3"`)
	if !preset(t).Changes.Material.Notify.Has("banner") && strings.Contains(text(t, ask(h, "/")), "another version") {
		t.Error("the studio announces the version, and the policy does not say so")
	}
	c := three(t)
	c.Clock = func() time.Time { return day(t, "2026-12-22").Time() }
	later := text(t, ask(web.New(c), "/privacy"))
	want(t, later, "/privacy on the day", "Version 1.3", "Took effect 22 December 2026")
	if strings.Contains(later, "another version") {
		t.Error("a version in force is announced as coming")
	}
}

func TestArchiveHasEveryVersion(t *testing.T) {
	t.Parallel()
	h := web.New(three(t))
	archive := text(t, ask(h, "/privacy/versions"))
	want(t, archive, "the archive", "studio 1.3 Published, not yet in force Takes effect 22 December 2026 Published 30 November 2026",
		"studio 1.2 In force Took effect 22 November 2026", "studio 1.1 No longer in force Took effect 1 January 2026")
	for version, keep := range map[string]string{"1.1": "keep: 24h", "1.2": "keep: 20h", "1.3": "keep: 10h"} {
		page := text(t, ask(h, "/privacy/versions/studio/"+version))
		want(t, page, "version "+version, "studio, version "+version, keep)
	}
	unknown := ask(h, "/privacy/versions/studio/9.9")
	if unknown.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown version: %d", unknown.StatusCode)
	}
	want(t, bodyOf(t, unknown), "the page of an unknown version", "There is no such version", `href="/privacy/versions"`)
}

func TestChangesBetweenAnyTwoVersions(t *testing.T) {
	t.Parallel()
	h := web.New(three(t))
	for query, words := range map[string][]string{
		"":                                {"For guests", "20 hours", "10 hours"},
		"?from=studio/1.1&to=studio/1.2":  {"24 hours", "20 hours"},
		"?from=studio/1.3&to=studio/1.1":  {"10 hours", "24 hours"},
		"?from=studio/1.2&to=studio/1.2":  {"Not a word differs."},
		"?from=studio/1.2&to=&lang=de":    {"Was anders ist", "10 Stunden"},
		"?from=&to=studio%2F1.3&lang=en&": {"20 hours", "10 hours"},
	} {
		want(t, text(t, ask(h, "/privacy/changes"+query)), "changes"+query, words...)
	}
	for _, query := range []string{"?from=studio/9&to=studio/1.1", "?to=x"} {
		if r := ask(h, "/privacy/changes"+query); r.StatusCode != http.StatusNotFound {
			t.Errorf("changes%s: %d", query, r.StatusCode)
		}
	}
	alone := config(preset(t))
	want(t, text(t, ask(web.New(alone), "/privacy/changes")), "changes of one version", "Not a word differs.")
}

// The figures stand beside the promises that they are about, in the page's language.
func TestFiguresStandBesideTheirPromises(t *testing.T) {
	t.Parallel()
	c := config(preset(t))
	f := retention.Figures{}
	c.Figures = func(context.Context) (retention.Figures, error) { return f, nil }
	h := web.New(c)
	want(t, text(t, ask(h, "/privacy")), "the page of a new server", "lifecycle.hide Right now nothing is overdue.",
		"lifecycle.purge In the last 30 days nothing had to go yet.", "No backup has been made yet.", "No backup has been restored")
	f = retention.Figures{Overdue: 1234, OldestOverdue: 90 * time.Second, Erased30d: 1, Purged30d: 1, KeyP99: 350 * time.Millisecond,
		PurgeP99: 61 * time.Minute, LastBackup: day(t, "2026-12-01").Add(3 * time.Hour), Rehearsed: day(t, "2026-11-30")}
	want(t, text(t, ask(h, "/privacy")), "the page", "Right now 1,234 items are overdue, the oldest for 90 s.", "lost their key within 0.4 s",
		"were gone within 61 min", "1 picture was erased", "Last backup: 1 December 2026, 03:00 UTC.", "try it on 30 November 2026, 00:00 UTC")
	want(t, text(t, ask(h, "/privacy?lang=de")), "the German page", "1.234 Einträge überfällig", "spätestens 0,4 s nach ihrem Ende", "1. Dezember 2026, 03:00 Uhr UTC")
	c.Figures = func(context.Context) (retention.Figures, error) { return f, errors.New("no database") }
	r := ask(web.New(c), "/privacy")
	if page := text(t, r); r.StatusCode != 200 || strings.Contains(page, "30 days nothing") || strings.Contains(page, "no database") {
		t.Errorf("without figures: %d", r.StatusCode)
	}
}

// A claim whose self-test fails is on no page; that none is perfect always is. Promise E-34.
func TestAClaimThatFailsIsNotShown(t *testing.T) {
	t.Parallel()
	doc := preset(t)
	c := config(doc)
	var unmet []string
	c.Unmet = func(*policy.Document) []string { return unmet }
	h := web.New(c)
	pages := []string{"/privacy", "/privacy/versions/studio/" + doc.Version}
	for i := range doc.Security.Claims {
		path := fmt.Sprintf("security.claims[%d]", i)
		for _, p := range pages {
			want(t, bodyOf(t, ask(h, p)), p, ">"+path+"<", ">security.caveat<")
		}
	}
	for i, claim := range doc.Security.Claims {
		unmet = append(unmet, fmt.Sprintf("security.claims[%d]", i))
		for _, p := range append(pages, "/privacy/record", "/privacy/agreement", "/privacy/record.md", "/privacy/agreement.md") {
			if strings.Contains(bodyOf(t, ask(h, p)), fmt.Sprintf("security.claims[%d]", i)) {
				t.Errorf("%s shows %s, which fails", p, claim)
			}
		}
	}
	for _, p := range pages {
		want(t, bodyOf(t, ask(h, p)), p, ">security.caveat<")
	}
}

// The pages of words hold nothing personal, and caches may keep them shortly: any for a
// stranger, the browser's own for one with a session, whose pages have one link more.
func TestPagesOfWordsAreKeptShortly(t *testing.T) {
	t.Parallel()
	h := web.New(three(t))
	for _, path := range []string{"/privacy", "/privacy/versions", "/privacy/versions/studio/1.1", "/privacy/changes", "/privacy/record", "/privacy/agreement", "/privacy/record.md"} {
		for cookie, control := range map[string]string{"": "public, max-age=10", "musa_session=x": "private, max-age=10"} {
			r := ask(h, path, "Cookie", cookie)
			if got := r.Header.Get("Cache-Control"); got != control || !strings.Contains(r.Header.Get("Vary"), "Cookie") {
				t.Errorf("%s with cookie %q: Cache-Control %q, Vary %q", path, cookie, got, r.Header.Get("Vary"))
			}
		}
	}
}

// The documents to take along say the same as their pages, in the reader's language.
func TestPapersCanBeTaken(t *testing.T) {
	t.Parallel()
	doc := preset(t)
	h := web.New(config(doc))
	for _, words := range lang.All() {
		tag := words.Tag()
		for name, paper := range map[string]struct {
			title    string
			sections []policy.Section
		}{"record": {policy.RecordTitle, doc.RecordIn(tag)}, "agreement": {policy.AgreementTitle, doc.AgreementIn(tag)}} {
			title := policy.TitleIn(tag, paper.title)
			page := bodyOf(t, ask(h, "/privacy/"+name, "Accept-Language", tag))
			want(t, page, name+" in "+tag, "<h1>"+title+"</h1>", `href="/privacy/`+name+`.md?lang=`+tag+`"`)
			r := ask(h, "/privacy/"+name+".md", "Accept-Language", tag)
			file := bodyOf(t, r)
			if kind := r.Header.Get("Content-Type"); kind != "text/markdown; charset=utf-8" || !strings.Contains(r.Header.Get("Content-Disposition"), "musa-"+name) {
				t.Errorf("%s.md: %v", name, r.Header)
			}
			if r.Header.Get("Content-Language") != tag || !strings.Contains(r.Header.Get("Vary"), "Accept-Language") {
				t.Errorf("%s.md in %s: caches would mix languages: %v", name, tag, r.Header)
			}
			if asked := bodyOf(t, ask(h, "/privacy/"+name+".md?lang="+tag)); asked != file {
				t.Errorf("%s.md?lang=%s is another file", name, tag)
			}
			want(t, file, name+".md", "# "+title+"\n")
			for _, s := range paper.sections {
				want(t, file, name+".md", "## "+s.Heading)
				for _, x := range s.Sentences {
					want(t, file, name+".md", "- "+x.Text+" `"+x.Path+"`")
					want(t, page, name, ">"+html.EscapeString(x.Text)+"<", ">"+x.Path+"<")
				}
			}
		}
	}
}

// What the store can hold: its tables, and the stores that are no tables.
func held() map[musa.Category]bool {
	held := map[musa.Category]bool{
		musa.CategoryCredential: true, // the session cookie
		musa.CategoryOutput:     true, // rows of assets say which they are
		musa.CategoryHistory:    true, // and those of records
	}
	for _, table := range db.Tables() {
		for _, c := range table.Columns {
			held[c] = true
		}
		held[table.Category] = true
	}
	delete(held, db.Technical)
	return held
}

// Under every preset the record of processing names the categories that the document
// collects and no other, and every category that the store can hold is collected. Promise E-33.
func TestTheRecordNamesWhatIsHeld(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		doc, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		named := map[musa.Category]bool{}
		for _, s := range doc.Record() {
			for _, x := range s.Sentences {
				if rest, ok := strings.CutPrefix(x.Path, "categories."); ok {
					category, _, _ := strings.Cut(rest, ".")
					named[musa.Category(category)] = true
				}
			}
		}
		for _, c := range musa.Categories() {
			line, _ := doc.Categories.Get(string(c))
			if named[c] == line.Collected.Off() {
				t.Errorf("%s: the record names %s: %v, and it is collected: %v", name, c, named[c], !line.Collected.Off())
			}
			if held()[c] && !named[c] {
				t.Errorf("%s: the store can hold %s, and the record does not name it", name, c)
			}
		}
	}
}

func TestMonthsHaveNames(t *testing.T) {
	t.Parallel()
	for _, words := range lang.All() {
		for m := range 12 {
			if _, ok := words.Message(fmt.Sprintf("date.month%d", m+1)); !ok {
				t.Errorf("%s: month %d has no name", words.Tag(), m+1)
			}
		}
	}
}
