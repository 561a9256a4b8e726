// Package lang holds the interface's words: one catalogue per language, chosen by what
// the browser asks for.
//
// It promises that every catalogue has every key (a missing one stops the program at
// start), that plural forms follow the language's own rules, and that the same messages
// reach the page's scripts, so that no word of the interface lives anywhere else.
//
// It does not translate the policy: package policy says that in each of these languages itself.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed words/*.json
var files embed.FS

// The languages that exist, best-known first: the first one answers a browser that asks
// for none of them.
var supported = []language.Tag{language.English, language.German}

var matcher = language.NewMatcher(supported)

var catalogues = loadAll()

// Message is one text. A text that counts has a form per plural category of its
// language ("one", "other", …); one that does not has only "other".
type Message map[string]string

// UnmarshalJSON takes either a plain string or an object of plural forms.
func (m *Message) UnmarshalJSON(data []byte) error {
	var plain string
	if json.Unmarshal(data, &plain) == nil {
		*m = Message{"other": plain}
		return nil
	}
	forms := map[string]string{}
	if err := json.Unmarshal(data, &forms); err != nil {
		return fmt.Errorf("message: %w", err)
	}
	*m = forms
	return nil
}

// MarshalJSON writes the short form where there is only one.
func (m Message) MarshalJSON() ([]byte, error) {
	if other, ok := m["other"]; ok && len(m) == 1 {
		return json.Marshal(other)
	}
	return json.Marshal(map[string]string(m))
}

// Catalogue is the words of one language. It never changes after start.
type Catalogue struct {
	tag      language.Tag
	messages map[string]Message
}

// Vars fills the {names} of a message. The variable "n" chooses the plural form.
type Vars map[string]any

// Match returns the catalogue for an Accept-Language header. A person's explicit choice,
// if there is one, is given first and wins. Malformed headers answer in English.
func Match(explicit, acceptLanguage string) *Catalogue {
	_, index := language.MatchStrings(matcher, explicit, acceptLanguage)
	return catalogues[index]
}

// All lists the catalogues, English first.
func All() []*Catalogue { return slices.Clone(catalogues) }

// Tag names the language as HTML's lang attribute wants it.
func (c *Catalogue) Tag() string { return c.tag.String() }

// Name is what speakers of the language call it.
func (c *Catalogue) Name() string { return c.T("lang.name", nil) }

// T returns a message with its variables filled in. An unknown key comes back as itself:
// it is a programming error that tests find, and no reason to fail a page.
func (c *Catalogue) T(key string, vars Vars) string {
	message, ok := c.messages[key]
	if !ok {
		return key
	}
	text := message["other"]
	if n, counted := vars["n"].(int); counted {
		if form, has := message[pluralForm(c.tag, n)]; has {
			text = form
		}
	}
	for name, value := range vars {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// Day writes an instant's day, UTC, as people write it.
func (c *Catalogue) Day(at time.Time) string {
	at = at.UTC()
	return c.T("date.day", Vars{"day": at.Day(), "month": c.T(fmt.Sprintf("date.month%d", at.Month()), nil), "year": at.Year()})
}

// Moment writes an instant's day and minute, UTC.
func (c *Catalogue) Moment(at time.Time) string {
	return c.T("date.moment", Vars{"date": c.Day(at), "time": at.UTC().Format("15:04")})
}

// Keys lists the catalogue's keys in order.
func (c *Catalogue) Keys() []string { return slices.Sorted(maps.Keys(c.messages)) }

// Message returns a key's forms and whether the key exists.
func (c *Catalogue) Message(key string) (Message, bool) {
	m, ok := c.messages[key]
	return m, ok
}

// Island is the part of the catalogue that scripts speak, as JSON: the keys under the
// given prefixes. It is safe inside a script element of type application/json.
func (c *Catalogue) Island(prefixes ...string) ([]byte, error) {
	part := map[string]Message{}
	for key, message := range c.messages {
		for _, prefix := range prefixes {
			if strings.HasPrefix(key, prefix) {
				part[key] = message
			}
		}
	}
	// encoding/json escapes <, > and &, so no message can close the element early.
	return json.Marshal(map[string]any{"lang": c.Tag(), "words": part})
}

func pluralForm(tag language.Tag, n int) string {
	switch plural.Cardinal.MatchPlural(tag, max(n, -n), 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	default:
		return "other"
	}
}

func loadAll() []*Catalogue {
	all := make([]*Catalogue, 0, len(supported))
	for _, tag := range supported {
		data, err := files.ReadFile("words/" + tag.String() + ".json")
		if err != nil {
			panic(fmt.Sprintf("lang: catalogue %s: %v", tag, err))
		}
		c := &Catalogue{tag: tag}
		if err := json.Unmarshal(data, &c.messages); err != nil {
			panic(fmt.Sprintf("lang: catalogue %s: %v", tag, err))
		}
		all = append(all, c)
	}
	return all
}
