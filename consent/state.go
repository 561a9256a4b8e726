package consent

import (
	"context"
	"fmt"
	"slices"

	"musa"
	"musa/db"
	"musa/policy"
)

// State is what a person is asked and what they said, for a page. Where nobody is known it is
// what everybody is asked.
type State struct {
	Version  string // of the policy in force
	Region   string
	Lines    []Line
	Accepted []Word // of policy and terms
	Log      Word   // the interaction log; zero where nobody ever switched it
	Unlogged bool
}

// Line is one consent of the policy.
type Line struct {
	Name      string
	Mode      string // notice_only, opt_in or opt_out, where the person is
	On        bool   // what it is asked for may be done in this request
	Word      Word   // the last on everything; zero where they never said anything
	Items     []Word // the last on single items
	Cookies   []string
	Purposes  []musa.Purpose
	Requires  string
	When      string // asset.commercial
	WhenOff   string
	Scope     []string // subject, asset
	Gpc       bool     // the browser's signal refuses it
	Overruled bool     // the person said yes, and this request's signal outweighs it
}

// Word is what a person said, once.
type Word struct {
	ID      musa.ChoiceID
	Name    string
	Item    musa.AssetID
	Given   bool
	Via     string
	Version string
	At      musa.Millis
	Ended   musa.Millis // when a later one took its place; 0 while it is the last
	Expires musa.Millis
}

// Said tells a word from silence.
func (w Word) Said() bool { return w.At > 0 }

// State tells what a person is asked and what they said. The actor's standing is the one of
// their request: with a signal it is Signal's.
func (b *Book) State(ctx context.Context, by musa.Actor) (State, error) {
	var words []db.Choice
	err := b.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		last, err := tx.LastWords(ctx, by.Subject)
		words = slices.DeleteFunc(last, func(c db.Choice) bool { return c.Given && !valid(c, tx.Now) }) // it ran out: they are asked again
		return err
	})
	if err != nil {
		return State{}, fmt.Errorf("choices of %s: %w", by.Subject, err)
	}
	s := Asked(b.Policy(), by.Standing)
	for _, c := range words {
		w := wordOf(c)
		switch c.Name {
		case NamePolicy, NameTerms:
			s.Accepted = append(s.Accepted, w)
			continue
		case NameLog:
			s.Log = w
			continue
		}
		i := slices.IndexFunc(s.Lines, func(l Line) bool { return l.Name == c.Name })
		switch {
		case i < 0: // the policy asks for it no more
		case c.Item == "":
			s.Lines[i].Word = w
			s.Lines[i].Overruled = w.Given && s.Lines[i].Gpc && !s.Lines[i].On
		default:
			s.Lines[i].Items = append(s.Lines[i].Items, w)
		}
	}
	return s, nil
}

// Asked is what the policy asks of everybody, and what of it is on under a standing.
func Asked(doc *policy.Document, st musa.Standing) State {
	s := State{Version: doc.Ref(), Region: st.Region, Unlogged: st.Unlogged}
	for _, e := range doc.Consents {
		c := e.Value
		l := Line{Name: e.Name, Mode: doc.ModeIn(c, st.Region), Cookies: c.Cookies, Purposes: purposes(doc, e.Name), Requires: c.Requires,
			When: c.When, WhenOff: c.WhenOff, Scope: c.Scope, Gpc: c.Gpc == "refuse"}
		l.On = on(doc, l, st)
		s.Lines = append(s.Lines, l)
	}
	return s
}

// on is what a decision allows: where people are only asked to say no, a purpose that the policy
// rests on their yes all the same waits for it.
func on(doc *policy.Document, l Line, st musa.Standing) bool {
	yes := slices.Contains(st.Consents, l.Name)
	switch l.Mode {
	case "notice_only":
		return true
	case "opt_out":
		return !slices.ContainsFunc(l.Purposes, func(p musa.Purpose) bool {
			return slices.Contains(st.Objections, p) || !yes && restsOnYes(doc, p, st.Region)
		})
	}
	return yes
}

// restsOnYes says whether a purpose has consent for its basis by a law that holds in a region.
func restsOnYes(doc *policy.Document, p musa.Purpose, region string) bool {
	line, _ := doc.Purposes.Get(string(p))
	laws := doc.Laws(region)
	if len(laws) == 0 {
		laws = []string{"default"}
	}
	return slices.ContainsFunc(laws, func(law string) bool { return line.Basis.In(law) == "consent" })
}

func wordOf(c db.Choice) Word {
	return Word{ID: c.ID, Name: c.Name, Item: c.Item, Given: c.Given, Via: c.Via, Version: c.PolicyVersion, At: c.At, Ended: c.Superseded, Expires: c.Expires}
}

// History pages through all that a person ever said, newest first.
func (b *Book) History(ctx context.Context, by musa.Actor, after musa.ChoiceID, limit int) ([]Word, error) {
	var list []Word
	err := b.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		choices, err := tx.ChoicesOf(ctx, by.Subject, after, limit)
		list = nil
		for _, c := range choices {
			list = append(list, wordOf(c))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", by.Subject, err)
	}
	return list, nil
}

// Choose enters several words at once, all or none.
func (b *Book) Choose(ctx context.Context, by musa.Actor, answers map[string]Answer, via string) error {
	return b.choose(ctx, by, "", answers, via)
}

// ChooseFor does so for one item.
func (b *Book) ChooseFor(ctx context.Context, by musa.Actor, item musa.AssetID, answers map[string]Answer, via string) error {
	return b.choose(ctx, by, item, answers, via)
}

func (b *Book) choose(ctx context.Context, by musa.Actor, item musa.AssetID, answers map[string]Answer, via string) error {
	err := b.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return b.Answer(ctx, tx, by, item, answers, via) })
	if err != nil {
		return fmt.Errorf("choices of %s: %w", by.Subject, err)
	}
	return nil
}

// Answer enters several words in the caller's transaction, for one item or for everything (""),
// each after the one that it requires.
func (b *Book) Answer(ctx context.Context, tx db.Tx, by musa.Actor, item musa.AssetID, answers map[string]Answer, via string) error {
	for _, name := range ordered(b.Policy(), answers) {
		if err := b.Give(ctx, tx, by, name, item, answers[name], via); err != nil {
			return err
		}
	}
	return nil
}

// ordered puts each consent after the one that it requires, and what the policy does not know
// at the end, where it is refused.
func ordered(doc *policy.Document, answers map[string]Answer) []string {
	names := make([]string, 0, len(answers))
	for name := range answers {
		names = append(names, name)
	}
	depth := func(name string) (n int) {
		for c, ok := doc.Consents.Get(name); ok && c.Requires != "" && n < len(doc.Consents); c, ok = doc.Consents.Get(c.Requires) {
			n++
		}
		return n
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := depth(a) - depth(b); d != 0 {
			return d
		}
		if a < b {
			return -1
		}
		return 1
	})
	return names
}

// Now is a person's standing as it is stored.
func (b *Book) Now(ctx context.Context, id musa.SubjectID) (musa.Standing, error) {
	var st musa.Standing
	err := b.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, id)
		st = s.Standing()
		return err
	})
	if err != nil {
		return musa.Standing{}, fmt.Errorf("standing of %s: %w", id, err)
	}
	return st, nil
}
