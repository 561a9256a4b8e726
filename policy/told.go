package policy

import (
	"strings"

	"musa"
)

// Told is what a document says of one purpose to one person.
type Told struct {
	Name    musa.Purpose
	Words   string // "to sign you in"
	Basis   string // a word of the language: "contract"
	Consent string // that it needs, too; may be empty
	Mode    string // how that is asked where the person is: "opt_in"
}

// Told lists the purposes that may open a category, each with its legal basis under the laws
// of a region. Where nobody knows the region, or several laws differ, consent wins: it is the
// strictest.
func (d *Document) Told(c musa.Category, region string) []Told {
	var out []Told
	for _, e := range d.Purposes {
		if !e.Value.Uses.Has(string(c)) {
			continue
		}
		t := Told{Name: musa.Purpose(e.Name), Words: inEnglish.purposePhrase(e.Name), Basis: d.local(e.Value.Basis, region), Consent: e.Value.Consent}
		if consent, ok := d.Consents.Get(e.Value.Consent); ok {
			t.Mode = d.local(consent.Mode, region)
		}
		out = append(out, t)
	}
	return out
}

// local is a value that differs by law, for a region.
func (d *Document) local(v Varied, region string) string {
	laws := d.compiled.regimes.in(region)
	said := ""
	for i, e := range d.Regimes {
		if region != "" && laws&(1<<i) == 0 {
			continue
		}
		here := v.In(e.Name)
		if here == "consent" || here == "opt_in" {
			return here
		}
		if said == "" || said == v.Default {
			said = here
		}
	}
	if said == "" {
		return v.Default
	}
	return said
}

// NameOf is a kind of data in words: "words that you write for a picture".
func NameOf(c musa.Category) string { return NameIn("en", c) }

// NameIn is NameOf in another language.
func NameIn(tag string, c musa.Category) string { return tongues[tag].bareName(string(c)) }

// BasisWords is a legal basis in words.
func BasisWords(basis string) string { return inEnglish.said(basis, basisClauses) }

// Recipient is somebody else who gets a category, or may open it.
type Recipient struct {
	Name      string
	Kind      string // "processor", "staff" or "authority"
	For       []musa.Purpose
	Country   string // of a processor
	Safeguard string // for the transfer there; may be empty
}

// Recipients lists who else gets a category, or may open it, as the document allows.
func (d *Document) Recipients(c musa.Category) []Recipient {
	var out []Recipient
	for _, e := range d.Processors {
		if e.Value.Gets.Has(string(c)) {
			out = append(out, Recipient{Name: e.Name, Kind: "processor", For: purposesOf(e.Value.For), Country: e.Value.Country, Safeguard: e.Value.Safeguard})
		}
	}
	line, _ := d.Categories.Get(string(c))
	for _, e := range d.Roles.Instance {
		var may Words
		if len(line.Readers) > 0 && !line.Readers.Has(e.Name) {
			continue
		}
		for _, p := range e.Value {
			if line, ok := d.Purposes.Get(p); ok && line.Uses.Has(string(c)) {
				may = append(may, p)
			}
		}
		if len(may) > 0 {
			out = append(out, Recipient{Name: e.Name, Kind: "staff", For: purposesOf(may)})
		}
	}
	for _, e := range d.Disclosures {
		if e.Value.Uses.Has(string(c)) {
			out = append(out, Recipient{Name: strings.ReplaceAll(e.Name, "_", " "), Kind: "authority", For: []musa.Purpose{musa.Purpose(e.Value.Purpose)}})
		}
	}
	return out
}

func purposesOf(ws Words) []musa.Purpose {
	out := make([]musa.Purpose, len(ws))
	for i, w := range ws {
		out[i] = musa.Purpose(w)
	}
	return out
}
