package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/vault"
)

// Settings is what a person sees about how long their things are kept.
type Settings struct {
	Tier    musa.Tier
	Former  musa.Tier   // that was lost, while its grace runs; else empty
	Grace   musa.Millis // until when the loss shortens nothing; 0 without one
	Offers  []Offer     // empty where there is nothing to choose
	Notices []Notice    // what was announced, the soonest first
}

// Offer is what may be chosen for some categories at once.
type Offer struct {
	Categories []musa.Category
	Choices    []policy.Span
	Default    policy.Span
	Chosen     policy.Span // Default where nobody chose
	Items      int         // that exist and are covered
	Pictures   int         // among them; the others are sealed records
}

// Notice is word that some items will end sooner than they would have in the tier that was
// lost.
type Notice struct {
	Moment
	Former musa.Tier
}

// Moment is when some items go.
type Moment struct {
	At    musa.Millis // of the first among them
	Items int
}

// moments bounds how many a Forecast tells apart.
const moments = 24

// Forecast is what a change would do to what exists. Items are pictures and sealed records
// alike.
type Forecast struct {
	Now      int         // would end at once
	Sooner   int         // would end sooner, without those
	Later    int         // would end later
	Moments  []Moment    // when the sooner ones would go
	Pictures Pictures    // how many of these are pictures
	Notice   musa.Millis // before which nothing goes sooner, for a lost tier or a version yet to take effect; else 0
}

// Pictures are those among the items of a Forecast.
type Pictures struct {
	Now, Sooner, Later int
}

// tally counts what a change does to ends.
type tally struct {
	now                 musa.Millis
	gone, sooner, later int
	pictures            Pictures
	ends                map[musa.Millis]int
}

// add counts an item; pictures is 1 for a picture, 0 for a record.
func (t *tally) add(pictures int, was, is musa.Millis) {
	switch {
	case was == is, was > 0 && was <= t.now:
	case is > 0 && is <= t.now:
		t.gone++
		t.pictures.Now += pictures
	case sooner(is, was):
		t.sooner++
		t.pictures.Sooner += pictures
		t.ends[is]++
	default:
		t.later++
		t.pictures.Later += pictures
	}
}

// pictures is 1 for a picture and 0 for a record.
func pictures(i policy.Item) int {
	if strings.HasPrefix(i.ID, "as_") {
		return 1
	}
	return 0
}

// ends is when an item goes: at the policy's end, or at its owner's own, if that is sooner.
func ends(due, ordered musa.Millis) musa.Millis {
	if sooner(ordered, due) {
		return ordered
	}
	return due
}

func (t *tally) join(o tally) {
	t.gone, t.sooner, t.later = t.gone+o.gone, t.sooner+o.sooner, t.later+o.later
	t.pictures.Now, t.pictures.Sooner, t.pictures.Later = t.pictures.Now+o.pictures.Now, t.pictures.Sooner+o.pictures.Sooner, t.pictures.Later+o.pictures.Later
	for at, n := range o.ends {
		t.ends[at] += n
	}
}

func (t *tally) forecast() Forecast {
	return Forecast{Now: t.gone, Sooner: t.sooner, Later: t.later, Pictures: t.pictures, Moments: grouped(t.ends, moments)}
}

// spacings are how far apart moments may be told, finest first.
var spacings = []time.Duration{0, time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
	30 * 24 * time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour}

// grouped tells at most so many moments apart, as finely as that allows.
func grouped(ends map[musa.Millis]int, most int) []Moment {
	if len(ends) == 0 {
		return nil
	}
	all := make([]Moment, 0, len(ends))
	for at, n := range ends {
		all = append(all, Moment{at, n})
	}
	slices.SortFunc(all, func(a, b Moment) int { return int(a.At - b.At) })
	var out []Moment
	for _, apart := range spacings {
		out = out[:0]
		for _, m := range all {
			if n := len(out); n > 0 && m.At < out[n-1].At.Add(apart) {
				out[n-1].Items += m.Items
			} else {
				out = append(out, m)
			}
		}
		if len(out) <= most {
			break
		}
	}
	return out
}

// Forecast tells what a change would do, and changes nothing. It refuses what Change would.
// Promises E-18, C-20.
func (k *Keeper) Forecast(ctx context.Context, by musa.Actor, subject musa.SubjectID, c Change) (Forecast, error) {
	var next db.Subject
	t := tally{ends: map[musa.Millis]int{}}
	v := k.Versions()
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, subject)
		if err != nil {
			return err
		}
		t.now = tx.Now
		next, err = k.changed(by, s, c, tx.Now)
		return err
	})
	if err == nil {
		err = everyItem(ctx, k.DB, subject, func(i policy.Item, ordered musa.Millis) {
			if !over(v, i, t.now) {
				t.add(pictures(i), i.Stored, ends(v.End(followed(v, next, i, t.now)).At, ordered))
			}
		})
	}
	if err != nil {
		return Forecast{}, fmt.Errorf("forecast for %s: %w", subject, err)
	}
	f := t.forecast()
	f.Notice = next.Grace
	return f, nil
}

// Preview tells what other versions of the policy would do to all that exists.
func Preview(ctx context.Context, d *db.DB, will *policy.Versions, now musa.Millis) (Forecast, error) {
	t := tally{now: now, ends: map[musa.Millis]int{}}
	err := everyItem(ctx, d, "", func(i policy.Item, ordered musa.Millis) {
		end := will.End(i).At
		if !sooner(end, i.Stored) {
			end = i.Stored // no version lengthens what exists
		}
		t.add(pictures(i), i.Stored, ends(end, ordered))
	})
	if err != nil {
		return Forecast{}, fmt.Errorf("forecast for what exists: %w", err)
	}
	f := t.forecast()
	if p, ok := will.Pending(now); ok {
		f.Notice = p.Effective
	}
	return f, nil
}

// everyItem walks an owner's active items, or everybody's, in pages of their own reads.
func everyItem(ctx context.Context, d *db.DB, owner musa.SubjectID, each func(i policy.Item, ordered musa.Millis)) error {
	var m mark
	for {
		var p items
		err := d.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			next := m
			p, err = itemsOf(ctx, tx, owner, &next)
			return err
		})
		if err != nil || p.empty() {
			return err
		}
		for _, a := range p.assets {
			m.asset = a.ID
			each(vault.AssetItem(a), a.Ordered)
		}
		for _, r := range p.records {
			m.record = r.ID
			each(vault.RecordItem(r), r.Ordered)
		}
	}
}

// Settings tells a person what they may choose, what that covers, and what was announced.
// Promises E-18, C-20.
func (k *Keeper) Settings(ctx context.Context, by musa.Actor) (Settings, error) {
	var s db.Subject
	err := k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		s, err = tx.Subject(ctx, by.Subject)
		return err
	})
	if err != nil {
		return Settings{}, fmt.Errorf("settings of %s: %w", by.Subject, err)
	}
	now := musa.At(k.Clock())
	out := Settings{Tier: s.Tier, Offers: offers(k.Policy(), s)}
	if s.Former != "" && now < s.Grace {
		out.Former, out.Grace = s.Former, s.Grace
	}
	for i := range out.Offers {
		out.Offers[i].choose(chosen(s.Choice))
	}
	v, announced := k.Versions(), map[musa.Tier]map[musa.Millis]int{}
	err = everyItem(ctx, k.DB, s.ID, func(i policy.Item, ordered musa.Millis) {
		if over(v, i, now) {
			return
		}
		for n := range out.Offers {
			if out.Offers[n].covers(v, i) {
				out.Offers[n].Items++
				out.Offers[n].Pictures += pictures(i)
			}
		}
		if i.Former == "" || now >= i.Grace {
			return
		}
		former := i
		former.Tier, former.Former = i.Former, ""
		if sooner(i.Stored, ends(v.End(former).At, ordered)) {
			if announced[i.Former] == nil {
				announced[i.Former] = map[musa.Millis]int{}
			}
			announced[i.Former][i.Stored]++
		}
	})
	if err != nil {
		return Settings{}, fmt.Errorf("settings of %s: %w", by.Subject, err)
	}
	for former, ends := range announced {
		for _, m := range grouped(ends, moments) {
			out.Notices = append(out.Notices, Notice{m, former})
		}
	}
	slices.SortFunc(out.Notices, func(a, b Notice) int { return int(a.At - b.At) })
	return out, nil
}

// offers is what the document lets an owner choose in their tier, categories of the same
// choices together.
func offers(doc *policy.Document, s db.Subject) []Offer {
	chooser := "subject"
	if s.Kind == musa.SubjectWorkspace {
		chooser = "workspace"
	}
	var out []Offer
	for _, c := range musa.Categories() {
		choices, keep, setBy := doc.Choices(c, s.Tier)
		if len(choices) == 0 || !setBy.Has(chooser) {
			continue
		}
		if i := slices.IndexFunc(out, func(o Offer) bool { return o.Default == keep && slices.Equal(o.Choices, choices) }); i >= 0 {
			out[i].Categories = append(out[i].Categories, c)
			continue
		}
		out = append(out, Offer{Categories: []musa.Category{c}, Choices: choices, Default: keep})
	}
	return out
}

// covers says that the choice makes a difference to an item.
func (o *Offer) covers(v *policy.Versions, i policy.Item) bool {
	if !slices.Contains(o.Categories, i.Category) {
		return false
	}
	i.Choice = 0
	none := v.End(i).At
	return slices.ContainsFunc(o.Choices, func(c policy.Span) bool {
		i.Choice = c.Duration()
		return v.End(i).At != none
	})
}

func (o *Offer) choose(d time.Duration) {
	o.Chosen = o.Default
	for _, c := range o.Choices {
		if d > 0 && c.Duration() == d {
			o.Chosen = c
		}
	}
}

// mayChoose refuses what the document does not offer to people of a tier.
func mayChoose(doc *policy.Document, s db.Subject, d time.Duration) error {
	all := offers(doc, s)
	if len(all) == 0 {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "choice_none", Field: "keep",
			Public: "In your plan the privacy policy alone says how long things are kept; there is nothing to choose."}
	}
	var names []string
	for _, o := range all {
		for _, c := range o.Choices {
			if d == 0 || c.Duration() == d {
				return nil
			}
			if w := c.Words(); !slices.Contains(names, w) {
				names = append(names, w)
			}
		}
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "choice_not_offered", Field: "keep",
		Public: "The privacy policy does not offer this time in your plan. It offers: " + words(names) + "."}
}

func words(list []string) string { return strings.Join(list, ", ") }
