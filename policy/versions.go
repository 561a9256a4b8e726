package policy

import (
	"time"

	"musa"
)

// Adoption is one version of the policy as it was taken up: from Effective on it decides.
type Adoption struct {
	Doc       *Document
	Published musa.Millis
	Effective musa.Millis // the document's day, never before Published
}

// Versions is every version that was taken up, in the order in which they take effect. It
// is not changed afterwards: one more makes another Versions.
type Versions struct {
	list []Adoption
}

// NewVersions orders adoptions by the moment that they take effect, those of the same
// moment as they are given. musa.ErrInvalid when there is none.
func NewVersions(list ...Adoption) (*Versions, error) {
	if len(list) == 0 {
		return nil, musa.ErrInvalid
	}
	v := &Versions{list: append([]Adoption(nil), list...)}
	sortByEffect(v.list)
	return v, nil
}

func sortByEffect(list []Adoption) {
	for i := 1; i < len(list); i++ {
		for k := i; k > 0 && list[k].Effective < list[k-1].Effective; k-- {
			list[k], list[k-1] = list[k-1], list[k]
		}
	}
}

// Only makes the Versions of one document that always was in force.
func Only(d *Document) *Versions { return &Versions{list: []Adoption{{Doc: d}}} }

// List is all adoptions, the first in effect first.
func (v *Versions) List() []Adoption { return append([]Adoption(nil), v.list...) }

// InForce is the version that decides at an instant: the last that took effect, and before
// the first did, the first.
func (v *Versions) InForce(now musa.Millis) *Document {
	doc := v.list[0].Doc
	for _, a := range v.list[1:] {
		if a.Effective > now {
			break
		}
		doc = a.Doc
	}
	return doc
}

// Grace is how long an account that was closed at an instant can be opened again: by the version in
// force then.
func (v *Versions) Grace(closed musa.Millis) time.Duration {
	right, _ := v.InForce(closed).Rights.Get("erasure")
	return right.Grace.Duration()
}

// Pending is the next version that is published and not yet in effect; false when none is.
func (v *Versions) Pending(now musa.Millis) (Adoption, bool) {
	for _, a := range v.list[1:] {
		if a.Effective > now {
			return a, true
		}
	}
	return Adoption{}, false
}

// Of finds a version by its Ref.
func (v *Versions) Of(ref string) (*Document, bool) {
	for _, a := range v.list {
		if a.Doc.Ref() == ref {
			return a.Doc, true
		}
	}
	return nil, false
}

// End computes the end of an item over all versions: the one that its own gives, or the one
// that a later version gives from its effect on, whichever is earlier. So a new version
// never lengthens what exists, while a choice or a tier may, inside the item's own version.
// An item of a version that is not known is judged by all of them.
func (v *Versions) End(i Item) End {
	var best End
	own := v.own(&i)
	for n, a := range v.list[own:] {
		at, by := a.Doc.compiled.end(&i)
		if by == nil {
			continue
		}
		if n > 0 && at < a.Effective {
			at = a.Effective
		}
		if best.At == 0 || at < best.At {
			best = End{At: at, Path: by.path, Version: a.Doc.Ref()}
			best.Words = by.endWords(i, at)
		}
	}
	if best.At == 0 {
		return End{Words: v.list[len(v.list)-1].Doc.endlessWords(i)}
	}
	return best
}

// own is the adoption under which the item was made: the last of its version that was in
// effect then, else the first of its version.
func (v *Versions) own(i *Item) int {
	own := -1
	for n, a := range v.list {
		if a.Doc.Ref() == i.Version && (own < 0 || a.Effective <= i.Created) {
			own = n
		}
	}
	return max(own, 0)
}
