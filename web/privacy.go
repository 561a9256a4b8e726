package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"musa"
	"musa/lang"
	"musa/policy"
	"musa/retention"
)

// line is one sentence of the document on a page.
type line struct {
	text, path string
	id         string // the path, on the first sentence that cites it: an id stands once
	live       string // what the server counted beside the promise; in the page's language
}

// block is a heading and the sentences under it.
type block struct {
	id, heading string
	lines       []line
}

// edition is one taking up of a version, as pages tell of it.
type edition struct {
	policy.Adoption
	state string // force, pending, former
}

func (e edition) name() string    { return e.Doc.Policy }
func (e edition) version() string { return e.Doc.Version }

func (e edition) effectKey() string {
	if e.state == "pending" {
		return "privacy.effective.from"
	}
	return "privacy.effective"
}

// address is where all of the edition's text stands.
func (e edition) address() templ.SafeURL {
	return templ.SafeURL("/privacy/versions/" + url.PathEscape(e.Doc.Policy) + "/" + url.PathEscape(e.Doc.Version))
}

// differences is where its words stand beside those of another.
func (e edition) differences(since edition) templ.SafeURL {
	return templ.SafeURL("/privacy/changes?" + url.Values{"from": {since.Doc.Ref()}, "to": {e.Doc.Ref()}}.Encode())
}

// editions lists all that were taken up, the first in effect first, and the place of the
// one in force.
func (s *site) editions() (list []edition, inForce int) {
	now := musa.At(s.clock())
	for i, a := range s.versions().List() {
		list = append(list, edition{a, "pending"})
		if a.Effective <= now {
			inForce = i
		}
	}
	for i := range list[:inForce] {
		list[i].state = "former"
	}
	list[inForce].state = "force"
	return list, inForce
}

// edition finds a version by its name; the last taking up of it. False when there is none.
func (s *site) edition(ref string) (edition, bool) {
	list, _ := s.editions()
	for _, e := range slices.Backward(list) {
		if e.Doc.Ref() == ref {
			return e, true
		}
	}
	return edition{}, false
}

// blocks puts sections on a page. What this server cannot show to hold is left out; what
// stands beside the claims of security, that none is perfect, stays. Promise E-34.
func (s *site) blocks(doc *policy.Document, sections []policy.Section, live map[string]string) []block {
	cited := map[string]bool{}
	var out []block
	for i, section := range policy.Without(sections, s.unmet(doc)) {
		b := block{id: sectionID(i), heading: section.Heading}
		for _, sentence := range section.Sentences {
			l := line{text: sentence.Text, path: sentence.Path}
			if !cited[sentence.Path] {
				cited[sentence.Path], l.id, l.live = true, sentence.Path, live[sentence.Path]
			}
			b.lines = append(b.lines, l)
		}
		out = append(out, b)
	}
	return out
}

func (s *site) privacy(w http.ResponseWriter, r *http.Request) {
	p := s.wordsPage(r, "privacy.title")
	list, now := s.editions()
	s.render(w, r, http.StatusOK, p, privacyPage(p, list[now], s.blocks(list[now].Doc, list[now].Doc.RenderIn(p.words.Tag()), s.live(r.Context(), p))))
}

func (s *site) archive(w http.ResponseWriter, r *http.Request) {
	p := s.wordsPage(r, "versions.title")
	list, _ := s.editions()
	s.render(w, r, http.StatusOK, p, archivePage(p, list))
}

func (s *site) archived(w http.ResponseWriter, r *http.Request) {
	e, ok := s.edition(r.PathValue("policy") + "/" + r.PathValue("version"))
	if !ok {
		s.failVersion(w, r)
		return
	}
	p := s.wordsPage(r, "versions.title")
	p.title = p.tv("versions.one", lang.Vars{"policy": e.name(), "version": e.version()})
	s.render(w, r, http.StatusOK, p, archivedPage(p, e, s.blocks(e.Doc, e.Doc.RenderIn(p.words.Tag()), nil)))
}

// changes shows what one version says otherwise than another. Without names it is the
// pending one, or else the one in force, against the one before it.
func (s *site) changes(w http.ResponseWriter, r *http.Request) {
	list, now := s.editions()
	to := min(now+1, len(list)-1)
	older, newer := list[max(to-1, 0)], list[to]
	for name, e := range map[string]*edition{"from": &older, "to": &newer} {
		if ref := r.URL.Query().Get(name); ref != "" {
			var ok bool
			if *e, ok = s.edition(ref); !ok {
				s.failVersion(w, r)
				return
			}
		}
	}
	p := s.wordsPage(r, "changes.title")
	s.render(w, r, http.StatusOK, p, changesPage(p, comparison{list: list, older: older, newer: newer, changes: differ(p, older, newer)}))
}

// comparison is two versions side by side.
type comparison struct {
	list         []edition
	older, newer edition
	changes      []differences
}

// differences are what differs under one heading.
type differences struct{ policy.Differences }

// tongue is the language that they are in: the document's lines stay as they were written.
func (d differences) tongue(p page) string {
	if d.Lines {
		return "en"
	}
	return p.words.Tag()
}

func differ(p page, older, newer edition) (list []differences) {
	for _, d := range policy.DiffIn(p.words.Tag(), older.Doc, newer.Doc) {
		list = append(list, differences{d})
	}
	return list
}

// choices lists each version once, the newest first.
func (c comparison) choices() (list []edition) {
	for _, e := range slices.Backward(c.list) {
		if !slices.ContainsFunc(list, func(o edition) bool { return o.Doc.Ref() == e.Doc.Ref() }) {
			list = append(list, e)
		}
	}
	return list
}

// paper is a document that the policy fills and people take with them.
type paper struct {
	name  string // record, agreement
	title string // in English
	parts func(doc *policy.Document, tag string) []policy.Section
}

var papers = []paper{
	{"record", policy.RecordTitle, (*policy.Document).RecordIn},
	{"agreement", policy.AgreementTitle, (*policy.Document).AgreementIn},
}

func (s *site) paper(what paper) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.wordsPage(r, "privacy.title")
		p.title = policy.TitleIn(p.words.Tag(), what.title)
		list, now := s.editions()
		s.render(w, r, http.StatusOK, p, paperPage(p, what, list[now], s.blocks(list[now].Doc, what.parts(list[now].Doc, p.words.Tag()), nil)))
	}
}

// paperFile is the same as a file.
func (s *site) paperFile(what paper) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := s.wordsPage(r, "privacy.title")
		list, now := s.editions()
		doc, tag := list[now].Doc, p.words.Tag()
		var text strings.Builder
		fmt.Fprintf(&text, "# %s\n\n%s\n", policy.TitleIn(tag, what.title), p.tv("versions.one", lang.Vars{"policy": doc.Policy, "version": doc.Version}))
		for _, b := range s.blocks(doc, what.parts(doc, tag), nil) {
			fmt.Fprintf(&text, "\n## %s\n\n", b.heading)
			for _, l := range b.lines {
				fmt.Fprintf(&text, "- %s `%s`\n", l.text, l.path)
			}
		}
		h := w.Header()
		h.Set("Content-Type", "text/markdown; charset=utf-8")
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="musa-%s-%s-%s.md"`, what.name, doc.Policy, doc.Version))
		p.head(h)
		writeCompressed(w, r, http.StatusOK, []byte(text.String()))
	}
}

// brief lets anybody keep what is the same for everybody, for as long as the figures are.
const brief = "public, max-age=10"

// wordsPage is a page of words: what it says is the same for everybody.
func (s *site) wordsPage(r *http.Request, titleKey string) page {
	p := s.page(r, titleKey)
	p.script, p.personal, p.shared = "js/plain.js", false, true
	return p
}

// failVersion answers for a version that was never taken up.
func (s *site) failVersion(w http.ResponseWriter, r *http.Request) {
	p := s.wordsPage(r, "versions.unknown.title")
	s.render(w, r, http.StatusNotFound, p, unknownVersionPage(p))
}

// live is what the server counted beside the promises, by the line of the document. Without
// figures the promises stand alone: the page says nothing that nobody looked at.
func (s *site) live(ctx context.Context, p page) map[string]string {
	f, err := s.figures(ctx)
	if err != nil {
		s.log.Error("figures for the privacy page", "err", err)
		return nil
	}
	return liveWords(p, f)
}

func liveWords(p page, f retention.Figures) map[string]string {
	words := map[string]string{
		"lifecycle.hide":    p.t("live.overdue.none"),
		"lifecycle.erase":   p.t("live.none"),
		"lifecycle.purge":   p.t("live.none"),
		"lifecycle.receipt": p.tv("live.erased", lang.Vars{"n": f.Erased30d, "count": p.number(f.Erased30d)}),
	}
	if f.Overdue > 0 {
		words["lifecycle.hide"] = p.tv("live.overdue", lang.Vars{"n": f.Overdue, "count": p.number(f.Overdue), "span": p.length(f.OldestOverdue)})
	}
	if f.Purged30d > 0 {
		words["lifecycle.erase"] = p.tv("live.key", lang.Vars{"span": p.length(f.KeyP99)})
		words["lifecycle.purge"] = p.tv("live.purge", lang.Vars{"span": p.length(f.PurgeP99)})
	}
	words["lifecycle.backup.every"] = p.moments("live.backup", f.LastBackup)
	words["lifecycle.backup.rehearse"] = p.moments("live.rehearsed", f.Rehearsed)
	return words
}

// moments says when something was last done, or that it never was.
func (p page) moments(key string, at musa.Millis) string {
	if at == 0 {
		return p.t(key + ".never")
	}
	return p.tv(key, lang.Vars{"moment": p.words.Moment(at.Time())})
}

// number groups the digits of a count.
func (p page) number(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + p.t("number.group") + digits[i:]
	}
	return digits
}

// length is a time in its largest fitting unit, rounded up.
func (p page) length(d time.Duration) string {
	tenths := int((d + 99*time.Millisecond) / (100 * time.Millisecond))
	switch {
	case d < 10*time.Second:
		return p.tv("length.seconds", lang.Vars{"count": fmt.Sprint(tenths/10) + p.t("number.point") + fmt.Sprint(tenths%10)})
	case d < 2*time.Minute:
		return p.tv("length.seconds", lang.Vars{"count": over(d, time.Second)})
	case d < 2*time.Hour:
		return p.tv("length.minutes", lang.Vars{"count": over(d, time.Minute)})
	case d < 48*time.Hour:
		return p.tv("length.hours", lang.Vars{"count": over(d, time.Hour)})
	}
	return p.tv("length.days", lang.Vars{"count": p.number(over(d, 24*time.Hour))})
}

func over(d, unit time.Duration) int { return int((d + unit - 1) / unit) }
