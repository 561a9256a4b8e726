package policy

import "slices"

// Laws lists the regimes of the document that hold in a region ("DE", "US-CA"); none where no
// region is known or no line names it.
func (d *Document) Laws(region string) []string {
	var out []string
	if region == "" {
		return nil
	}
	bits := d.compiled.regimes.in(region)
	for i, e := range d.Regimes {
		if bits&(1<<i) != 0 {
			out = append(out, e.Name)
		}
	}
	return out
}

// ModeIn is how people in a region are asked for a consent: the strictest of the laws that
// hold there, and of all where nobody knows which do.
func (d *Document) ModeIn(c Consent, region string) string {
	modes := []string{c.Mode.Default}
	if laws := d.Laws(region); len(laws) > 0 {
		modes = modes[:0]
		for _, law := range laws {
			modes = append(modes, c.Mode.In(law))
		}
	} else if region == "" {
		modes = c.Mode.All()
	}
	for _, strictest := range []string{"opt_in", "opt_out"} {
		if slices.Contains(modes, strictest) {
			return strictest
		}
	}
	return c.Mode.Default
}

// Clock is how long an answer to a request about a right may take for people in a region, and
// by how much that may be extended. Law is the regime that says so; empty for the document's
// own time. Where several hold, or none is known, it is the one that ends first.
type Clock struct {
	Law            string
	Within, Extend Span
}

// ClockOf finds the clock of a right; false where the document does not list it.
func (d *Document) ClockOf(right, region string) (Clock, bool) {
	r, ok := d.Rights.Get(right)
	if !ok {
		return Clock{}, false
	}
	own := Clock{Law: r.law(), Within: r.Within, Extend: r.Extend}
	var list []Clock
	for _, law := range d.Laws(region) {
		if e, differs := r.Elsewhere.Get(law); differs {
			list = append(list, Clock{Law: law, Within: e.Within, Extend: e.Extend})
		} else {
			list = append(list, own)
		}
	}
	if region == "" {
		list = append(list, own)
		for _, e := range r.Elsewhere {
			list = append(list, Clock{Law: e.Name, Within: e.Value.Within, Extend: e.Value.Extend})
		}
	}
	if len(list) == 0 {
		return own, true
	}
	return slices.MinFunc(list, func(a, b Clock) int {
		return int(a.Within.Duration().Milliseconds() - b.Within.Duration().Milliseconds())
	}), true
}

// law is the regime that a right comes from.
func (r Right) law() string {
	switch {
	case r.Gdpr != "":
		return "gdpr"
	case r.Ccpa != "":
		return "ccpa"
	}
	return ""
}

// Given lists the rights that the laws of a region give, with the article or section; all
// where no law of the document holds there or the region is not known.
func (d *Document) Given(region string) []Citation {
	laws := d.Laws(region)
	var out []Citation
	for _, e := range d.Rights {
		c := Citation{Right: e.Name}
		for _, law := range d.Regimes.Names() {
			if len(laws) > 0 && !slices.Contains(laws, law) {
				continue
			}
			if at := e.Value.cite(law); at != "" {
				c.Laws = append(c.Laws, at)
			}
		}
		if len(c.Laws) > 0 || len(laws) == 0 {
			out = append(out, c)
		}
	}
	return out
}

// Citation is a right and where it stands.
type Citation struct {
	Right string
	Laws  []string // "gdpr 15", "ccpa 1798.110"
}

func (r Right) cite(law string) string {
	if e, ok := r.Elsewhere.Get(law); ok && e.Section != "" {
		return law + " " + e.Section
	}
	switch {
	case law == "gdpr" && r.Gdpr != "":
		return law + " " + r.Gdpr
	case law == "ccpa" && r.Ccpa != "":
		return law + " " + r.Ccpa
	}
	return ""
}
