package rights

import (
	"context"
	"fmt"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/policy"
)

// Purpose is why a kind of data may be opened, as it is told to one person.
type Purpose struct {
	Name    string `json:"name"`
	Words   string `json:"words"`
	Basis   string `json:"basis"`
	Law     string `json:"basis_words"`
	Consent string `json:"consent,omitempty"`
	Given   string `json:"consent_given,omitempty"` // yes or no, where a consent is needed
	Stopped bool   `json:"stopped,omitempty"`       // by an objection
}

// Party is somebody else who may get a kind of data.
type Party struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	For       []string   `json:"for"`
	Country   string     `json:"country,omitempty"`
	Safeguard string     `json:"safeguard,omitempty"`
	Received  int        `json:"received"` // how often they got or opened something
	Last      *time.Time `json:"last,omitempty"`
}

// Held is one kind of data that is held of a person.
type Held struct {
	Category   string     `json:"category"`
	Words      string     `json:"words"`
	Items      int        `json:"items"`
	Oldest     *time.Time `json:"oldest"`
	Newest     *time.Time `json:"newest"`
	Ends       *time.Time `json:"first_end"` // of what has a date already
	LastEnd    *time.Time `json:"last_end"`
	Rules      []string   `json:"rules"` // when it ends, in the policy's words
	Exported   string     `json:"exported"`
	Purposes   []Purpose  `json:"purposes"`
	Recipients []Party    `json:"recipients"`
}

// Holdings is all that is held of a person, by category.
type Holdings struct {
	At      time.Time `json:"at"`
	Region  string    `json:"region"`
	Policy  string    `json:"policy"`
	Storage Room      `json:"storage"`
	Held    []Held    `json:"held"`
}

// Room is how full somebody's storage is, in sealed bytes; a limit of 0 is none.
type Room struct {
	Used  int64 `json:"used_bytes"`
	Limit int64 `json:"limit_bytes" doc:"0 where the policy sets none for this tier."`
}

// disclosed bounds how many openings by others are counted by kind of data; the list of all
// has pages of its own.
const disclosed = 500

// Holdings tells a person, or a guest, every kind of data that is held of them: how much,
// since when, why, on which legal basis where they are, who else may see it and did, and when
// it ends, the rules in the words of a language. GDPR art. 15. Promise C-25.
func (r *Rights) Holdings(ctx context.Context, by musa.Actor, tag string) (Holdings, error) {
	doc := r.Policy()
	var rows []db.Holding
	var seen map[string][]db.Use
	out := Holdings{Region: by.Standing.Region, Policy: doc.Ref(), Held: []Held{}}
	err := r.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		out.At = tx.Now.Time()
		if rows, err = tx.Holdings(ctx, by.Subject); err != nil {
			return err
		}
		seen, err = opened(ctx, tx, by.Subject)
		return err
	})
	if err != nil {
		return Holdings{}, fmt.Errorf("holdings of %s: %w", by.Subject, err)
	}
	room, err := r.Studio.Room(ctx, by)
	if err != nil {
		return Holdings{}, err
	}
	out.Storage = Room(room)
	for _, c := range musa.Categories() {
		h := tally(c, rows)
		line, known := doc.Categories.Get(string(c))
		if h.Items == 0 && (!known || line.Collected.Off() || line.Personal.Off()) {
			continue
		}
		describe(&h, doc, by, tag, seen[string(c)])
		out.Held = append(out.Held, h)
	}
	return out, nil
}

// opened sorts the latest openings by others under the kind of data that was opened.
func opened(ctx context.Context, tx db.Tx, owner musa.SubjectID) (map[string][]db.Use, error) {
	uses, err := tx.Uses(ctx, owner, "", disclosed)
	if err != nil {
		return nil, err
	}
	out := map[string][]db.Use{}
	for _, u := range uses {
		c, err := tx.CategoryOf(ctx, u.Object)
		if err != nil {
			return nil, err
		}
		out[string(c)] = append(out[string(c)], u)
	}
	return out, nil
}

// tally adds up what the tables hold of one category.
func tally(c musa.Category, rows []db.Holding) Held {
	h := Held{Category: string(c), Words: policy.NameOf(c)}
	var oldest, newest, first, last musa.Millis
	for _, row := range rows {
		if row.Category != c {
			continue
		}
		h.Items += row.Items
		oldest, first = sooner(oldest, row.Oldest), sooner(first, row.First)
		newest, last = max(newest, row.Newest), max(last, row.Last)
	}
	h.Oldest, h.Newest, h.Ends, h.LastEnd = instant(oldest), instant(newest), instant(first), instant(last)
	return h
}

func sooner(a, b musa.Millis) musa.Millis {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func instant(m musa.Millis) *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// describe adds what the policy says of a kind of data to this person.
func describe(h *Held, doc *policy.Document, by musa.Actor, tag string, uses []db.Use) {
	c := musa.Category(h.Category)
	h.Rules, h.Purposes, h.Recipients = []string{}, []Purpose{}, []Party{}
	if sentences, err := doc.ExplainIn(tag, c, by.Tier); err == nil {
		for _, s := range sentences {
			h.Rules = append(h.Rules, s.Text)
		}
	}
	h.Exported = partOf(c)
	if line, _ := doc.Categories.Get(h.Category); line.NeverExport.On() {
		h.Exported = ""
	}
	for _, t := range doc.Told(c, by.Standing.Region) {
		h.Purposes = append(h.Purposes, purpose(t, by.Standing))
	}
	for _, p := range doc.Recipients(c) {
		h.Recipients = append(h.Recipients, party(p, uses))
	}
}

func purpose(t policy.Told, s musa.Standing) Purpose {
	p := Purpose{Name: string(t.Name), Words: t.Words, Basis: t.Basis, Law: policy.BasisWords(t.Basis), Consent: t.Consent}
	if t.Consent != "" {
		p.Given = "no"
		for _, given := range s.Consents {
			if name, _, _ := strings.Cut(given, ":"); name == t.Consent {
				p.Given = "yes"
			}
		}
	}
	for _, no := range s.Objections {
		p.Stopped = p.Stopped || no == t.Name
	}
	return p
}

func party(p policy.Recipient, uses []db.Use) Party {
	out := Party{Name: p.Name, Kind: p.Kind, Country: p.Country, Safeguard: p.Safeguard}
	for _, f := range p.For {
		out.For = append(out.For, string(f))
	}
	var last musa.Millis
	for _, u := range uses {
		if p.Kind == "staff" && string(u.Role) == p.Name {
			out.Received, last = out.Received+1, max(last, u.At)
		}
	}
	out.Last = instant(last)
	return out
}
