package policy

import (
	"slices"
	"strings"

	"musa"
)

// Sentence is one sentence of the privacy page and the line of the document that it is
// rendered from. A page that may show a claim only while it holds leaves sentences out by
// their path.
type Sentence struct {
	Text string `json:"text"`
	Path string `json:"path"` // "retention[3]"
}

// Section is a heading and what stands under it.
type Section struct {
	Heading   string     `json:"heading"`
	Sentences []Sentence `json:"sentences"`
}

// page collects sections; those that stay empty are not on the page.
type page struct {
	d        *Document
	t        tongue
	sections []Section
}

func (p *page) section(heading string) {
	p.sections = append(p.sections, Section{Heading: heading})
}

func (p *page) say(path, format string, args ...any) {
	p.put(path, p.t.f(format, args...))
}

// put is say for a sentence that is in the page's language already.
func (p *page) put(path, sentence string) {
	s := &p.sections[len(p.sections)-1]
	s.Sentences = append(s.Sentences, Sentence{Text: sentence, Path: path})
}

// said is the sections that say something.
func (p *page) said() []Section {
	var out []Section
	for _, s := range p.sections {
		if len(s.Sentences) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Render is the privacy page in plain language. It says nothing that no line of the
// document says, and of a kind of data that is not collected only that it is not.
func (d *Document) Render() []Section { return d.RenderIn("en") }

// RenderIn is the page in another language; English for one that it does not speak.
func (d *Document) RenderIn(tag string) []Section {
	t := tongues[tag]
	return t.headed(d.render(t))
}

// render says the sentences in a language, below their English headings, which name them.
func (d *Document) render(t tongue) []Section {
	p := &page{d: d, t: t}
	for _, part := range []func(*page){
		renderController, renderKept, renderTreated, renderPurposes, renderUncollected, renderEnd, renderPartners,
		renderRights, renderOwnership, renderModeration, renderSecurity, renderCookies, renderPeople, renderChanges,
	} {
		part(p)
	}
	return p.said()
}

func renderController(p *page) {
	c := p.d.Controller
	p.section("Who answers for your data")
	p.say("controller.name", "%s answers for your data.", c.Name)
	p.say("controller.contact", "You can ask about it at %s.", c.Contact)
	p.say("version", "This is version %s of the policy “%s”.", p.d.Version, p.d.Policy)
	p.say("effective", "It holds from %s on.", p.d.Effective)
}

const keptHeading = "What is kept, and for how long"

func renderKept(p *page) {
	p.section(keptHeading)
	for i, r := range p.d.Retention {
		if held := p.d.held(r.For); len(held) > 0 {
			p.rule(item("retention", i), r, held)
		}
	}
	for _, e := range p.d.OffSwitch {
		if held := p.d.held(e.Value); len(held) > 0 {
			p.say("off_switch."+e.Name, "You can switch off the keeping of %s; while it is off, they live no longer than the job that needs them.", p.t.namings(held))
		}
	}
	for _, e := range p.d.Tiers {
		if s := e.Value.Storage; s.Bytes() > 0 {
			p.say("tiers."+e.Name+".storage", "%s have room for %s.", capital(p.t.tierWords(Words{e.Name})), sizeWords(s))
		}
	}
}

// rule says one retention rule as it bears on some of its categories.
func (p *page) rule(path string, r Rule, categories Words) {
	subject := capital(p.t.namings(categories))
	if len(r.Tier) > 0 {
		subject = p.t.f("For %s, %s", p.t.tierWords(r.Tier), p.t.namings(categories))
	}
	if r.SameAs != "" {
		p.say(path, "%s, once they were saved, live as long as %s.", subject, p.t.naming(r.SameAs))
		return
	}
	p.say(path, "%s %s.", subject, r.fate(p.t, categories))
	if len(r.Choices) > 0 {
		p.say(path+".choices", "%s may choose how long: %s.", capital(p.t.alternatives(p.t.words(r.SetBy, chooserNames))), p.t.alternatives(p.t.spanWords(r.Choices)))
	}
	if r.OnTierLoss.Shorten.On() {
		p.say(path+".on_tier_loss", "When that membership ends, the shorter time of the new one holds for them, too, and you are told %s before.", p.t.span(r.OnTierLoss.Notice))
	}
	if r.Restricted.On() {
		p.say(path+".restricted", "During that time their use is restricted: only your own requests, the proof of what was done and a legal hold may open them.")
	}
	if r.Erasable.On() {
		p.say(path+".erasable", "You may have them erased sooner.")
	}
	if len(r.Residue) > 0 {
		p.say(path+".residue", "What then remains of them is %s.", p.t.list(p.t.words(r.Residue, residueNames)))
	}
	if r.In == "segments" {
		p.say(path+".in", "They go segment by segment, so that the rest of the log can still be checked.")
	}
	if r.Review.Said() {
		p.say(path+".review", "Whether they are still needed is looked at %s.", p.t.each(r.Review))
	}
}

// fate is what a rule does, in words that follow a plural subject.
func (r Rule) fate(t tongue, categories Words) string {
	when := r.occasion(t, categories)
	switch {
	case r.Keep.Indefinite():
		return t.of("stay without end, for they lead to nobody")
	case r.Minimum.On():
		return t.f("have to be kept by law (%s) and are erased %s", t.of(r.Law), when)
	case r.Then == "anonymise" && counted(categories):
		return t.f("are made into totals that lead to nobody %s", when)
	}
	return t.f("are erased %s", when)
}

// counted says that the program makes totals of categories before it erases them. The rest is
// erased and nothing is made of it, whatever a rule says.
func counted(categories Words) bool {
	return !slices.ContainsFunc(categories, func(c string) bool {
		return c != string(musa.CategoryGenerationLog) && c != string(musa.CategorySurvey)
	})
}

// occasion is when a rule does it, and on what that hangs.
func (r Rule) occasion(t tongue, categories Words) string {
	began := t.of(r.began(categories))
	when := t.f("%s after %s", t.span(r.Keep), began)
	if r.Keep.Duration() == 0 {
		when = t.f("as soon as %s", began)
	}
	for _, w := range r.When {
		when += t.f(", if %s", t.of(whenWords[w]))
	}
	var but []string
	for _, w := range r.Unless {
		but = append(but, t.of(unlessWords[w]))
	}
	if len(but) > 0 {
		when += t.f(", unless %s", strings.Join(but, t.of(" or ")))
	}
	if r.Each == "turn" {
		when += t.of(", each turn for itself")
	}
	return when
}

// began is the event that a rule starts from; what people bring was not made here.
func (r Rule) began(categories Words) string {
	if r.From == fromCreated && len(categories) == 1 && categories[0] == "original" {
		return "they were uploaded"
	}
	return pluralEvents[r.From]
}

// renderTreated says how kinds of data are treated while they are kept.
func renderTreated(p *page) {
	p.section("How it is treated while it is kept")
	for _, e := range p.d.Categories {
		path, c := "categories."+e.Name, e.Value
		if c.Collected.Off() {
			continue
		}
		if c.StripMetadata.On() {
			p.say(path+".strip_metadata", "Place, time, camera and other metadata are taken out of %s before they are kept.", p.t.naming(e.Name))
		}
		if c.Mark != "" {
			p.say(path+".mark", "A mark inside the file says that a model had a hand in %s; nothing is written over the picture.", p.t.naming(e.Name))
		}
		if c.Keys != "" {
			p.say(path+".keys", "Only you hold the key to %s: the service cannot open them, and cannot help if you lose it.", p.t.naming(e.Name))
		}
		if c.NeverExport.On() {
			p.say(path+".never_export", "%s are never part of an export.", capital(p.t.naming(e.Name)))
		}
		if len(c.Readers) > 0 {
			p.say(path+".readers", "%s are read by nobody but %s.", capital(p.t.naming(e.Name)), p.t.list(p.t.words(c.Readers, roleNames)))
		}
		if c.Reads == "audited" {
			p.say(path+".reads", "Each look at %s is itself recorded.", p.t.naming(e.Name))
		}
		if len(c.ForbidFields) > 0 {
			p.say(path+".forbid_fields", "%s are never stored.", capital(p.t.list(p.t.words(c.ForbidFields, fieldNames))))
		}
		if c.HoldOnly.On() {
			p.say(path+".hold_only", "%s exist only while a hold lasts.", capital(p.t.naming(e.Name)))
		}
		if c.MinGroup.Value() > 0 {
			p.say(path+".min_group", "%s are written only for groups of at least %d people.", capital(p.t.naming(e.Name)), c.MinGroup.Value())
		}
		if c.Noise.Epsilon != "" {
			p.say(path+".noise", "Noise is added to them, so that nobody can be told from them (ε = %s per %s).", c.Noise.Epsilon, p.t.of(c.Noise.Per))
		}
	}
}

// held leaves out what is not collected.
func (d *Document) held(categories Words) Words {
	var out Words
	for _, c := range categories {
		if line, ok := d.Categories.Get(c); ok && !line.Collected.Off() {
			out = append(out, c)
		}
	}
	return out
}
