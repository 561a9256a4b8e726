//go:build e2e

package e2e_test

import (
	"fmt"
	"time"

	"musa"
	"musa/musatest"
)

// This file is an oracle: what a picture's end is, told a second time, by asking of each
// instant whether it is over. It shares no code with the product; it knows only the few
// numbers by which the versions of a world differ.

// edition is one version of the policy, as the numbers that the world varies.
type edition struct {
	ref                   string
	effective             int64 // Unix ms
	worked, unused        time.Duration
	guest, member         time.Duration
	paid, longer, notice  time.Duration
	published, documented string
}

// thing is one item as the oracle knows it.
type thing struct {
	id      string
	owner   int
	kind    musa.Category // original, output, prompt, history, evidence
	edition int           // under which it was made
	created int64
	tier    musa.Tier
	choice  time.Duration
	former  musa.Tier // lost, and still counting
	grace   int64
	saved   bool
	job     musa.JobID // that uses it now
	worked  int64      // when the last job that used it ended
	ordered int64      // its owner's own moment; 0 for none
	row     int        // 0 assets, 1 records
}

// life is how long a result of a tier lives under an edition; a choice counts where it is
// offered.
func (e edition) life(t musa.Tier, choice time.Duration) time.Duration {
	switch {
	case t == musa.TierGuest:
		return e.guest
	case t == musa.TierMember:
		return e.member
	case choice == e.longer:
		return e.longer
	}
	return e.paid
}

// spent says whether an edition, left to itself, has the item over at an instant in a tier.
func (e edition) spent(i *thing, t musa.Tier, at int64) bool {
	if i.kind == musa.CategoryEvidence {
		return at >= musatest.Months(time.UnixMilli(i.created).UTC(), 24).UnixMilli()
	}
	result := at >= i.created+e.life(t, i.choice).Milliseconds()
	if i.kind != musa.CategoryOriginal || i.saved {
		return result
	}
	if i.job != "" {
		return false
	}
	return at >= i.created+e.unused.Milliseconds() || (i.worked > 0 && at >= i.worked+e.worked.Milliseconds())
}

// over says whether an item's life is over at an instant: by its own edition, or by a later
// one that has taken effect; by its tier once the grace of a lost one is past, and by the
// lost one in any case.
func (w *world) over(i *thing, at int64) bool {
	for n := i.edition; n < len(w.editions); n++ {
		e := w.editions[n]
		if n > i.edition && at < e.effective {
			continue
		}
		if i.former == "" || i.former == i.tier {
			if e.spent(i, i.tier, at) {
				return true
			}
			continue
		}
		if e.spent(i, i.former, at) || (at >= i.grace && e.spent(i, i.tier, at)) {
			return true
		}
	}
	return false
}

// due is the first instant at which an item is over; 0 when nothing that is known ends it.
// Only a few instants can be it.
func (w *world) due(i *thing) int64 {
	candidates := []int64{i.grace, musatest.Months(time.UnixMilli(i.created).UTC(), 24).UnixMilli()}
	for _, e := range w.editions[i.edition:] {
		candidates = append(candidates, e.effective)
		for _, d := range []time.Duration{e.guest, e.member, e.paid, e.longer, e.unused} {
			candidates = append(candidates, i.created+d.Milliseconds())
		}
		if i.worked > 0 {
			candidates = append(candidates, i.worked+e.worked.Milliseconds())
		}
	}
	var first int64
	for _, at := range candidates {
		if at > 0 && (first == 0 || at < first) && w.over(i, at) {
			first = at
		}
	}
	return first
}

// ends is when it goes: at its due time, or when its owner ordered it.
func (w *world) ends(i *thing) int64 {
	due := w.due(i)
	if i.ordered > 0 && (due == 0 || i.ordered < due) {
		return i.ordered
	}
	return due
}

// follow has an item take over its owner's choice and tier, at an instant.
func (w *world) follow(i *thing, p *person, at int64) {
	before := w.due(i)
	i.choice = p.choice
	if i.tier == p.tier {
		return
	}
	moved := *i
	moved.tier, moved.former, moved.grace = p.tier, "", 0
	if after := w.due(&moved); after == 0 || (before > 0 && after >= before) {
		*i = moved
		return
	}
	if i.tier != musa.TierPaid {
		return // only the rule for paying members lets a loss shorten
	}
	moved.former, moved.grace = i.tier, at+w.editions[i.edition].notice.Milliseconds()
	if i.former != "" && at < i.grace {
		moved.former = i.former
	}
	if before > 0 {
		moved.grace = min(moved.grace, before)
	}
	*i = moved
}

// document is the edition as the server reads it: the studio's policy with other numbers.
func (e edition) document() string {
	return fmt.Sprintf(`extends: studio
version: %s
effective: %s
retention:
  - {for: [original], from: job_ended, keep: %s, unless: saved}
  - {for: [original], from: created, keep: %s, unless: [saved, in_use]}
  - {for: [original], when: saved, same_as: output}
  - {for: [output, prompt, history, share], tier: guest, from: created, keep: %s}
  - {for: [output, prompt, history, share], tier: member, from: created, keep: %s}
  - {for: [output, prompt, history, share], tier: paid, from: created, keep: %s, choices: [%s, %s], set_by: [subject], on_tier_loss: {shorten: true, notice: %s}}
%%UNVARIED%%`, e.published, e.documented, span(e.worked), span(e.unused), span(e.guest), span(e.member), span(e.paid), span(e.paid), span(e.longer), span(e.notice))
}

func span(d time.Duration) string {
	if d%(24*time.Hour) == 0 && d > 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%ds", int64(d.Seconds()))
}
