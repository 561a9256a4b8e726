package policies_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"musa/policy"
)

// draft is a policy that a script edits: the document as YAML has it, or a text verbatim.
type draft struct {
	whole    yaml.MapSlice
	verbatim string
	fault    *policy.Fault // the last that a script found
}

func (d *draft) read(text []byte) error {
	d.verbatim, d.whole = "", nil
	return yaml.UnmarshalWithOptions(text, &d.whole, yaml.UseOrderedMap())
}

// text is the document with a line for each thing, so that a fault's line means it.
func (d *draft) text() string {
	if d.whole == nil {
		return d.verbatim
	}
	var b strings.Builder
	for _, section := range d.whole {
		fmt.Fprintf(&b, "%v:", section.Key)
		switch v := section.Value.(type) {
		case yaml.MapSlice:
			if len(v) == 0 {
				b.WriteString(" {}\n")
				continue
			}
			b.WriteString("\n")
			for _, line := range v {
				fmt.Fprintf(&b, "  %v: %s\n", line.Key, flow(line.Value))
			}
		case []any:
			b.WriteString("\n")
			for _, line := range v {
				fmt.Fprintf(&b, "  - %s\n", flow(line))
			}
		default:
			fmt.Fprintf(&b, " %s\n", flow(v))
		}
	}
	return b.String()
}

var plain = regexp.MustCompile(`^[\pL\pN_@./%-][\pL\pN_@./% -]*$`)

func flow(v any) string {
	var parts []string
	switch v := v.(type) {
	case yaml.MapSlice:
		for _, p := range v {
			parts = append(parts, fmt.Sprintf("%v: %s", p.Key, flow(p.Value)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, p := range v {
			parts = append(parts, flow(p))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case nil:
		return ""
	case string:
		if !plain.MatchString(v) && !strings.HasPrefix(v, "https://") {
			return strconv.Quote(v)
		}
	}
	return fmt.Sprint(v)
}

// A step of a path is a key, or the place in a list.
var step = regexp.MustCompile(`^\.?([^.\[\]]+)|^\[(\d+)\]`)

// cited is the path as faults give it: rule(output,paid) is the first rule for outputs of
// the paid tier, and becomes retention[n].
func (d *draft) cited(path string) string {
	rest, ok := strings.CutPrefix(path, "rule(")
	if !ok {
		return path
	}
	of, rest, _ := strings.Cut(rest, ")")
	category, tier, _ := strings.Cut(of, ",")
	rules, _ := get(d.whole, "retention").([]any)
	for i, r := range rules {
		tiers := has(r, "tier")
		if slices.Contains(has(r, "for"), category) && (tier == "" || tiers == nil || slices.Contains(tiers, tier)) {
			return fmt.Sprintf("retention[%d]%s", i, rest)
		}
	}
	return path
}

func get(v any, key string) any {
	m, _ := v.(yaml.MapSlice)
	for _, p := range m {
		if fmt.Sprint(p.Key) == key {
			return p.Value
		}
	}
	return nil
}

func has(rule any, key string) (words []string) {
	list, _ := get(rule, key).([]any)
	for _, w := range list {
		words = append(words, fmt.Sprint(w))
	}
	return words
}

func (d *draft) without(path string) error {
	return d.at(path, func(any) (any, bool, error) { return nil, false, nil })
}

func (d *draft) change(path, value string) error {
	v, err := parsed(value)
	if err != nil {
		return err
	}
	return d.at(path, func(any) (any, bool, error) { return v, true, nil })
}

// add puts a value at the end of a list, or a line that is not there yet into a mapping.
func (d *draft) add(path, value string) error {
	v, err := parsed(value)
	if err != nil {
		return err
	}
	return d.at(path, func(was any) (any, bool, error) {
		switch was := was.(type) {
		case nil:
			return v, true, nil
		case []any:
			return append(slices.Clone(was), v), true, nil
		}
		return nil, false, fmt.Errorf("%s is there already", path)
	})
}

func parsed(value string) (v any, err error) {
	err = yaml.UnmarshalWithOptions([]byte(value), &v, yaml.UseOrderedMap())
	return v, err
}

// at puts what do makes of the value at a path in its place; a path that is not there is
// made for add and change, and refused for all but the last step.
func (d *draft) at(path string, do func(any) (any, bool, error)) error {
	v, _, err := walk(d.whole, d.cited(path), do)
	if err == nil {
		d.whole = v.(yaml.MapSlice)
	}
	return err
}

func walk(v any, path string, do func(any) (any, bool, error)) (any, bool, error) {
	if path == "" {
		return do(v)
	}
	m := step.FindStringSubmatch(path)
	if m == nil {
		return nil, false, fmt.Errorf("no path: %s", path)
	}
	rest := path[len(m[0]):]
	if m[2] != "" {
		list, _ := v.([]any)
		n, _ := strconv.Atoi(m[2])
		if n >= len(list) {
			return nil, false, fmt.Errorf("the list has %d lines", len(list))
		}
		to, keep, err := walk(list[n], rest, do)
		list = slices.Clone(list)
		if !keep {
			return slices.Delete(list, n, n+1), true, err
		}
		list[n] = to
		return list, true, err
	}
	table, ok := v.(yaml.MapSlice)
	if !ok && v != nil {
		return nil, false, fmt.Errorf("%s is no mapping", path)
	}
	table = slices.Clone(table)
	n := slices.IndexFunc(table, func(p yaml.MapItem) bool { return fmt.Sprint(p.Key) == m[1] })
	if n < 0 {
		n, table = len(table), append(table, yaml.MapItem{Key: m[1]})
	}
	to, keep, err := walk(table[n].Value, rest, do)
	if !keep {
		return slices.Delete(table, n, n+1), true, err
	}
	table[n].Value = to
	return table, true, err
}
