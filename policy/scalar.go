package policy

import (
	"slices"
	"strconv"
	"strings"
)

// Flag is a yes or no that may also be left unsaid.
type Flag string

// On says that the document says yes; unsaid is not yes.
func (f Flag) On() bool { return f == "true" }

// Off says that the document says no; unsaid is not no.
func (f Flag) Off() bool { return f == "false" }

func (f *Flag) parse(text string) (reason, remedy string) {
	if text != "true" && text != "false" {
		return "neither true nor false", "write true or false"
	}
	*f = Flag(text)
	return "", ""
}

// Size is a number of bytes, decimal: 200MB is 200,000,000.
type Size struct {
	text  string
	bytes int64
}

// Bytes is the size; 0 where the document says nothing.
func (s Size) Bytes() int64 { return s.bytes }

// String is the size as the document writes it.
func (s Size) String() string { return s.text }

func (s *Size) parse(text string) (reason, remedy string) {
	const write = "write a whole number and KB, MB, GB or TB, such as 200MB"
	for i, unit := range []string{"KB", "MB", "GB", "TB"} {
		digits, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 32)
		if err != nil || n < 1 {
			return "not a size", write
		}
		for range i + 1 {
			n *= 1000
		}
		*s = Size{text: text, bytes: n}
		return "", ""
	}
	return "not a size", write
}

// Count is a whole number that is not negative.
type Count struct {
	text  string
	value int
}

// Value is the number; 0 where the document says nothing.
func (c Count) Value() int { return c.value }

// String is the number as the document writes it.
func (c Count) String() string { return c.text }

func (c *Count) parse(text string) (reason, remedy string) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return "not a whole number", "write a whole number such as 20"
	}
	*c = Count{text: text, value: int(n)}
	return "", ""
}

// Words is one word or several; a single one may stand without brackets.
type Words []string

// Has says whether w is among them.
func (ws Words) Has(w string) bool { return slices.Contains(ws, w) }

// Varied is a value that may differ by regime or country: `consent`, or
// `{default: opt_out, gdpr: opt_in}`.
type Varied struct {
	Default string
	Where   Table[string]
}

// In is the value under a regime or in a country.
func (v Varied) In(where string) string {
	if s, ok := v.Where.Get(where); ok {
		return s
	}
	return v.Default
}

// All is every value that it can have, the default first.
func (v Varied) All() []string {
	all := []string{v.Default}
	for _, e := range v.Where {
		all = append(all, e.Value)
	}
	return all
}

// Table is a mapping in the order of the document.
type Table[T any] []Entry[T]

// Entry is one line of a Table.
type Entry[T any] struct {
	Name  string
	Value T
}

// Get finds a line by its name.
func (t Table[T]) Get(name string) (T, bool) {
	for _, e := range t {
		if e.Name == name {
			return e.Value, true
		}
	}
	var none T
	return none, false
}

// Has says whether there is a line of that name.
func (t Table[T]) Has(name string) bool {
	_, ok := t.Get(name)
	return ok
}

// Names is every name, in the order of the document.
func (t Table[T]) Names() []string {
	names := make([]string, len(t))
	for i, e := range t {
		names[i] = e.Name
	}
	return names
}
