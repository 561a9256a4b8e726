package policy

import (
	"reflect"
	"slices"
)

// SameConsent says whether two versions ask for a consent to the same: its own line, and the
// purposes that it feeds with what they use. A yes to one is then a yes to the other.
func SameConsent(then, now *Document, name string) bool {
	before, was := then.Consents.Get(name)
	after, is := now.Consents.Get(name)
	if !was || !is || !reflect.DeepEqual(before, after) {
		return false
	}
	return slices.EqualFunc(then.fedBy(name), now.fedBy(name), func(a, b Entry[PurposeLine]) bool { return reflect.DeepEqual(a, b) })
}

func (d *Document) fedBy(consent string) (out []Entry[PurposeLine]) {
	for _, e := range d.Purposes {
		if e.Value.Consent == consent {
			out = append(out, e)
		}
	}
	return out
}
