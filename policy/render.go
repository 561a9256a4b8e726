package policy

import (
	"fmt"
	"strings"
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
	sections []Section
}

func (p *page) section(heading string) {
	p.sections = append(p.sections, Section{Heading: heading})
}

func (p *page) say(path, format string, args ...any) {
	s := &p.sections[len(p.sections)-1]
	s.Sentences = append(s.Sentences, Sentence{Text: fmt.Sprintf(format, args...), Path: path})
}

// Render is the privacy page in plain language. It says nothing that no line of the
// document says, and of a kind of data that is not collected only that it is not.
func (d *Document) Render() []Section {
	p := &page{d: d}
	for _, part := range []func(*page){
		renderController, renderKept, renderPurposes, renderUncollected, renderEnd, renderPartners,
		renderRights, renderOwnership, renderModeration, renderSecurity, renderCookies, renderPeople, renderChanges,
	} {
		part(p)
	}
	var out []Section
	for _, s := range p.sections {
		if len(s.Sentences) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func renderController(p *page) {
	c := p.d.Controller
	p.section("Who answers for your data")
	p.say("controller.name", "%s answers for your data.", c.Name)
	p.say("controller.contact", "Questions about it go to %s, and are answered.", c.Contact)
	p.say("version", "This is version %s of the policy “%s”.", p.d.Version, p.d.Policy)
	p.say("effective", "It holds from %s on.", p.d.Effective)
}

func renderKept(p *page) {
	p.section("What is kept, and for how long")
	for i, r := range p.d.Retention {
		if held := p.d.held(r.For); len(held) > 0 {
			p.rule(item("retention", i), r, held)
		}
	}
	for _, e := range p.d.Categories {
		path := "categories." + e.Name
		switch {
		case e.Value.Collected.Off():
		case e.Value.StripMetadata.On():
			p.say(path+".strip_metadata", "Place, time, camera and other metadata are taken out of %s before they are kept.", naming(e.Name))
		case e.Value.Mark != "":
			p.say(path+".mark", "A mark inside the file says that a model had a hand in %s; nothing is written over the picture.", naming(e.Name))
		case e.Value.Keys != "":
			p.say(path+".keys", "Only you hold the key to %s: the service cannot open them, and cannot help if you lose it.", naming(e.Name))
		}
	}
	for _, e := range p.d.OffSwitch {
		p.say("off_switch."+e.Name, "You can switch off the keeping of %s.", namings(e.Value))
	}
}

// rule says one retention rule as it bears on some of its categories.
func (p *page) rule(path string, r Rule, categories Words) {
	subject := capital(namings(categories))
	if len(r.Tier) > 0 {
		subject = "For " + tierWords(r.Tier) + ", " + namings(categories)
	}
	if r.SameAs != "" {
		p.say(path, "%s, once you save them, live as long as %s.", subject, naming(r.SameAs))
		return
	}
	p.say(path, "%s %s.", subject, r.fate())
	if len(r.Choices) > 0 {
		p.say(path+".choices", "You may choose among these times for them: %s.", list(spanWords(r.Choices)))
	}
	if r.OnTierLoss.Shorten.On() {
		p.say(path+".on_tier_loss", "When that standing ends, the shorter time holds for them, and you hear of it %s before.", r.OnTierLoss.Notice.Words())
	}
	if len(r.Residue) > 0 {
		p.say(path+".residue", "Until then only what the law or a dispute needs may open them, and you may have them erased sooner; %s remain.", list(r.Residue))
	}
	if r.Review.Said() {
		p.say(path+".review", "Whether they are still needed is looked at every %s.", each(r.Review))
	}
}

// fate is what a rule does, in words that follow a plural subject.
func (r Rule) fate() string {
	if r.Keep.Indefinite() {
		return "stay: they lead to nobody"
	}
	verb := "go"
	if r.Then == "anonymise" {
		verb = "are made into totals that lead to nobody"
	}
	if r.Minimum.On() {
		verb = fmt.Sprintf("have to be kept by law (%s) and go", r.Law)
	}
	when := r.Keep.Words() + " after " + pluralEvents[r.From]
	if r.Keep.Duration() == 0 {
		when = "at once when " + pluralEvents[r.From]
	}
	var but []string
	for _, w := range r.Unless {
		but = append(but, unlessWords[w])
	}
	for _, w := range r.When {
		when += ", if " + whenWords[w]
	}
	if len(but) > 0 {
		when += ", unless " + strings.Join(but, " or ")
	}
	return verb + " " + when
}

func renderPurposes(p *page) {
	p.section("What it is used for")
	for _, e := range p.d.Purposes {
		held := p.d.held(e.Value.Uses)
		if len(held) == 0 {
			continue
		}
		path := "purposes." + e.Name
		p.say(path, "%s, the service uses %s. It may, because %s.",
			purposeWords(e.Name), namings(held), basisWords[e.Value.Basis.Default])
		for _, v := range e.Value.Basis.Where {
			p.say(path+".basis", "Where the %s holds, it may because %s.", strings.ToUpper(v.Name), basisWords[v.Value])
		}
	}
	if len(p.d.Purposes) > 0 {
		p.say("purposes", "For anything else the server refuses to open them.")
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

func renderUncollected(p *page) {
	p.section("What is not collected")
	for _, e := range p.d.Categories {
		if e.Value.Collected.Off() {
			p.say("categories."+e.Name+".collected", "This service collects no %s.", bareName(e.Name))
		}
	}
}

func renderEnd(p *page) {
	l := p.d.Lifecycle
	p.section("What happens at the end")
	if l.Hide.Within.Said() {
		p.say("lifecycle.hide", "From the moment at which something is due, nobody can open it, not even you.")
	}
	if l.Erase.Within.Said() {
		p.say("lifecycle.erase", "Within %s of that its key is destroyed, so that nothing that is left of it can be read.", l.Erase.Within.Words())
	}
	if l.Purge.Within.Said() {
		p.say("lifecycle.purge", "Within %s its bytes are removed as well, and it is checked that they are.", l.Purge.Within.Words())
	}
	if len(l.Receipt.Per) > 0 {
		p.say("lifecycle.receipt", "A receipt proves it afterwards.")
	}
	if l.Backup.Every.Said() {
		p.say("lifecycle.backup.every", "Sealed backups are made every %s; the keys lie apart from them.", each(l.Backup.Every))
		p.say("lifecycle.backup.within", "What was erased has left the last of them after %s, and cannot be read there before.", l.Backup.Within.Words())
		p.say("lifecycle.backup.replay_erasures_on_restore", "A restored backup does not bring it back.")
	}
	if p.d.Holds.Role != "" {
		p.say("holds", "Only a hold that the law demands can keep something longer; two persons have to agree to release it.")
	}
}
