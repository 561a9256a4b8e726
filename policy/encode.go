package policy

import (
	"crypto/sha256"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// YAML is the whole document in one fixed form, without comments. Parse takes it back,
// and the form of what comes back is the same.
func (d *Document) YAML() []byte {
	var b strings.Builder
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("policy")
		if name == "" || v.Field(i).IsZero() {
			continue
		}
		b.WriteString(name + ":")
		writeSection(&b, v.Field(i))
	}
	return []byte(b.String())
}

// Hash identifies the document's bytes: one version must never have two.
func (d *Document) Hash() [32]byte { return sha256.Sum256(d.YAML()) }

// writeSection writes what has lines of its own as lines, all else in one.
func writeSection(b *strings.Builder, v reflect.Value) {
	lines := pairsOf(v)
	switch {
	case v.Type() == reflect.TypeFor[[]Rule]():
		b.WriteString("\n")
		for i := range v.Len() {
			b.WriteString("  - " + flow(v.Index(i)) + "\n")
		}
	case len(lines) > 0 && hasMapping(v):
		b.WriteString("\n")
		for _, l := range lines {
			b.WriteString("  " + quoted(l.name) + ": " + flow(l.value) + "\n")
		}
	default:
		b.WriteString(" " + flow(v) + "\n")
	}
}

type pair struct {
	name  string
	value reflect.Value
}

// pairsOf is what a struct says, or the lines of a Table; nil for anything else.
func pairsOf(v reflect.Value) []pair {
	var out []pair
	switch {
	case isTable(v.Type()):
		for i := range v.Len() {
			out = append(out, pair{v.Index(i).Field(0).String(), v.Index(i).Field(1)})
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("policy")
			if name != "" && !v.Field(i).IsZero() {
				out = append(out, pair{name, v.Field(i)})
			}
		}
	}
	return out
}

func isTable(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && reflect.PointerTo(t).Implements(reflect.TypeFor[mapped]())
}

func hasMapping(v reflect.Value) bool {
	for _, p := range pairsOf(v) {
		if isTable(p.value.Type()) || len(pairsOf(p.value)) > 0 {
			return true
		}
	}
	return false
}

func flow(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case Flag:
		return string(value)
	case interface{ String() string }:
		return quoted(value.String())
	case Varied:
		return flowVaried(value)
	}
	switch {
	case v.Kind() == reflect.String:
		return quoted(v.String())
	case isTable(v.Type()) || v.Kind() == reflect.Struct:
		var parts []string
		for _, p := range pairsOf(v) {
			parts = append(parts, quoted(p.name)+": "+flow(p.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	parts := make([]string, v.Len())
	for i := range v.Len() {
		parts[i] = flow(v.Index(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func flowVaried(v Varied) string {
	if len(v.Where) == 0 {
		return quoted(v.Default)
	}
	all := append(Table[string]{{Name: "default", Value: v.Default}}, v.Where...)
	return flow(reflect.ValueOf(all))
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./@][A-Za-z0-9_./@+ -]*$|^https?://[A-Za-z0-9_./-]+$`)

// quoted keeps plain words plain; JSON's quoting is YAML's double quoting. What other readers
// of YAML would take for a number and write otherwise, such as 1798.120, is quoted as well.
func quoted(s string) string {
	if n, err := strconv.ParseFloat(s, 64); err == nil && strconv.FormatFloat(n, 'f', -1, 64) != s {
		return strconv.Quote(s)
	}
	if plain.MatchString(s) && s != "null" && strings.TrimSpace(s) == s {
		return s
	}
	return strconv.Quote(s)
}
