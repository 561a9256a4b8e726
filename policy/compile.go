package policy

import (
	"fmt"
	"time"

	"musa"
)

// compiled is the document laid out for Decide: look-ups and comparisons only, so that
// a decision costs no memory.
type compiled struct {
	categories map[musa.Category]*categoryTable
	purposes   map[musa.Purpose]*purposeTable
	staff      map[musa.Role][]musa.Purpose
	regimes    regimeTable
}

type categoryTable struct {
	bit    uint64      // which of purposeTable.uses it is
	made   bool        // new ones may be made
	read   []musa.Role // of the instance's roles, those that may; nil: any that has a purpose for it
	any    []clause
	byTier []tierTable // only declared tiers: a handful, so a walk beats a map
}

type tierTable struct {
	tier  musa.Tier
	rules []clause
}

type purposeTable struct {
	path     string
	uses     uint64
	footings footingTable
	demands  []demand // what a consent as its basis asks for
}

// clause is one retention rule as it bears on one category and tier.
type clause struct {
	path       string
	from       string
	keep       Span
	choices    []choice
	unless     condition
	when       condition
	minimum    bool
	restricted bool // while it runs, only what a restriction leaves open may use the item
}

type choice struct {
	picked time.Duration
	keep   Span
}

// condition is a set of states of an item.
type condition uint8

const (
	isSaved condition = 1 << iota
	isInUse
)

var conditions = map[string]condition{"saved": isSaved, "in_use": isInUse}

func conditionOf(ws Words) condition {
	var c condition
	for _, w := range ws {
		c |= conditions[w]
	}
	return c
}

func compile(d *Document) compiled {
	c := compiled{
		categories: make(map[musa.Category]*categoryTable),
		purposes:   make(map[musa.Purpose]*purposeTable),
		staff:      make(map[musa.Role][]musa.Purpose),
		regimes:    d.compileRegimes(),
	}
	for i, e := range d.Categories {
		// The program has fewer than 64 categories; what a document adds is a fault, and
		// past that number no purpose reaches it.
		t := &categoryTable{bit: 1 << i, made: !e.Value.Collected.Off()}
		for _, role := range e.Value.Readers {
			t.read = append(t.read, musa.Role(role))
		}
		t.any = d.clauses(e.Name, "")
		for _, tier := range d.Tiers.Names() {
			t.byTier = append(t.byTier, tierTable{musa.Tier(tier), d.clauses(e.Name, tier)})
		}
		c.categories[musa.Category(e.Name)] = t
	}
	for _, e := range d.Purposes {
		p := &purposeTable{path: "purposes." + e.Name, footings: d.footings(e.Value), demands: d.demands(e.Value.Consent)}
		for _, use := range e.Value.Uses {
			p.uses |= c.category(musa.Category(use)).bit
		}
		if e.Name == string(musa.PurposeHold) && d.Holds.Role != "" {
			// A document that provides for holds lets the program copy what is to be held.
			for _, held := range holdable() {
				p.uses |= c.category(held).bit
			}
		}
		c.purposes[musa.Purpose(e.Name)] = p
	}
	for _, e := range d.Roles.Instance {
		for _, purpose := range e.Value {
			c.staff[musa.Role(e.Name)] = append(c.staff[musa.Role(e.Name)], musa.Purpose(purpose))
		}
	}
	return c
}

// holdable lists the categories of assets that a hold can be put on.
func holdable() []musa.Category { return []musa.Category{musa.CategoryOriginal, musa.CategoryOutput} }

// clauses is every rule that bears on a category and tier; "" stands for a tier that the
// document does not know, which only rules for everybody reach.
func (d *Document) clauses(category, tier string) []clause {
	var out []clause
	for i, r := range d.Retention {
		if !r.For.Has(category) || (len(r.Tier) > 0 && !r.Tier.Has(tier)) {
			continue
		}
		path := fmt.Sprintf("retention[%d]", i)
		if r.SameAs == "" {
			out = append(out, r.clause(path))
			continue
		}
		out = append(out, d.borrowed(r, path, tier)...)
	}
	return out
}

// borrowed is the rules of another category under the conditions of the rule that names
// it. A rule that borrows in turn is a fault that Lint finds, and is not followed: two that
// name each other would never end.
func (d *Document) borrowed(r Rule, path, tier string) []clause {
	var out []clause
	for j, other := range d.Retention {
		if other.SameAs != "" || !other.For.Has(r.SameAs) || (len(other.Tier) > 0 && !other.Tier.Has(tier)) {
			continue
		}
		c := other.clause(fmt.Sprintf("%s (as retention[%d])", path, j))
		c.when |= conditionOf(r.When)
		c.unless |= conditionOf(r.Unless)
		out = append(out, c)
	}
	return out
}

func (r Rule) clause(path string) clause {
	c := clause{
		path: path, from: r.From, keep: r.Keep,
		unless: conditionOf(r.Unless), when: conditionOf(r.When), minimum: r.Minimum.On(), restricted: r.Restricted.On(),
	}
	for _, s := range r.Choices {
		c.choices = append(c.choices, choice{picked: s.Duration(), keep: s})
	}
	return c
}

// nowhere is the table of a category that the document does not have: no purpose uses it and
// no rule ends it.
var nowhere categoryTable

func (c *compiled) category(name musa.Category) *categoryTable {
	if t, ok := c.categories[name]; ok {
		return t
	}
	return &nowhere
}
