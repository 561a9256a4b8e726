package policy

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// position is where something stands in a text; an extending document has two texts.
type position struct {
	file         string
	line, column int
}

// decoder fills the document from the syntax tree and collects what does not fit. It is
// our own because goccy's stops at the first fault and forgets where values stood.
type decoder struct {
	file   string
	at     map[string]position
	faults Faults
	stored bool     // what is not known is left out, and noted
	left   []string // paths of what was left out
}

// textual is a value that is written as one word.
type textual interface {
	parse(text string) (reason, remedy string)
}

// mapped is a Table of some kind.
type mapped interface {
	decode(dec *decoder, path string, n ast.Node)
}

func (dec *decoder) fault(p position, path, reason, remedy string) {
	dec.faults = append(dec.faults, Fault{File: dec.file, Line: p.line, Column: p.column, Path: path, Reason: reason, Remedy: remedy})
}

func (dec *decoder) stands(path string, p position) {
	p.file = dec.file
	dec.at[path] = p
}

// forget drops the positions inside a list that another replaces.
func (dec *decoder) forget(path string) {
	for inside := range dec.at {
		if strings.HasPrefix(inside, path+"[") {
			delete(dec.at, inside)
		}
	}
}

func (dec *decoder) document(d *Document, body ast.Node) {
	dec.into(reflect.ValueOf(d).Elem(), "", body)
}

func (dec *decoder) into(v reflect.Value, path string, n ast.Node) {
	switch target := v.Addr().Interface().(type) {
	case *Words:
		dec.words(target, path, n)
		return
	case *Varied:
		dec.varied(target, path, n)
		return
	case mapped:
		target.decode(dec, path, n)
		return
	case textual:
		text, ok := dec.scalar(path, n)
		if !ok {
			return
		}
		if reason, remedy := target.parse(text); reason != "" {
			dec.fault(where(n), path, reason, remedy)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		text, _ := dec.scalar(path, n)
		v.SetString(text)
	case reflect.Slice:
		dec.list(v, path, n)
	case reflect.Struct:
		dec.fields(v, path, n)
	}
}

func (dec *decoder) fields(v reflect.Value, path string, n ast.Node) {
	known := make(map[string]int)
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("policy"); name != "" {
			known[name] = i
			names = append(names, name)
		}
	}
	dec.pairs(path, n, func(key, below string, p position, value ast.Node) {
		i, ok := known[key]
		if !ok && dec.stored {
			dec.left = append(dec.left, below)
			return
		}
		if !ok {
			dec.fault(p, below, "unknown key", "known here: "+strings.Join(names, ", "))
			return
		}
		dec.into(v.Field(i), below, value)
	})
}

// pairs walks a mapping and finds double keys on the way.
func (dec *decoder) pairs(path string, n ast.Node, each func(key, below string, p position, value ast.Node)) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		dec.fault(where(n), path, "not a mapping", "write `{key: value, …}` or indented lines of `key: value`")
		return
	}
	seen := make(map[string]position)
	for _, pair := range m.Values {
		key, p, ok := dec.key(path, pair)
		if !ok {
			continue
		}
		below := key
		if path != "" {
			below = path + "." + key
		}
		if first, double := seen[key]; double {
			dec.fault(p, below, "written twice", fmt.Sprintf("it stands in line %d already: keep one", first.line))
			continue
		}
		seen[key] = p
		dec.stands(below, p)
		each(key, below, p, pair.Value)
	}
}

func (dec *decoder) key(path string, pair *ast.MappingValueNode) (string, position, bool) {
	tok := pair.Key.GetToken()
	p := at(tok)
	switch pair.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.BoolNode:
		return tok.Value, p, true
	}
	dec.fault(p, path, "not a plain key", "write the lines out: merges, anchors and composed keys are not read")
	return "", p, false
}

func (dec *decoder) scalar(path string, n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		if strings.TrimSpace(n.Value) == "" {
			break
		}
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	case *ast.MappingNode, *ast.SequenceNode:
		dec.fault(where(n), path, "not one word", "write a single value here")
		return "", false
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		dec.fault(where(n), path, "anchors, aliases and tags are not read", "write the value out")
		return "", false
	}
	dec.fault(where(n), path, "empty", "write a value or leave the key out")
	return "", false
}

func (dec *decoder) list(v reflect.Value, path string, n ast.Node) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		dec.fault(where(n), path, "not a list", "write `[…]` or indented lines that begin with `- `")
		return
	}
	dec.forget(path)
	out := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, item := range seq.Values {
		below := fmt.Sprintf("%s[%d]", path, i)
		dec.stands(below, where(item))
		dec.into(out.Index(i), below, item)
	}
	v.Set(out)
}

func (dec *decoder) words(out *Words, path string, n ast.Node) {
	dec.forget(path)
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		if text, ok := dec.scalar(path, n); ok {
			*out = Words{text}
		}
		return
	}
	ws := make(Words, 0, len(seq.Values))
	for i, item := range seq.Values {
		below := fmt.Sprintf("%s[%d]", path, i)
		dec.stands(below, where(item))
		text, ok := dec.scalar(below, item)
		if !ok {
			continue
		}
		if ws.Has(text) {
			dec.fault(where(item), below, "written twice in one list", "keep one")
			continue
		}
		ws = append(ws, text)
	}
	*out = ws
}

func (dec *decoder) varied(out *Varied, path string, n ast.Node) {
	*out = Varied{}
	if _, ok := n.(*ast.MappingNode); !ok {
		out.Default, _ = dec.scalar(path, n)
		return
	}
	before := len(dec.faults)
	dec.pairs(path, n, func(key, below string, _ position, value ast.Node) {
		text, _ := dec.scalar(below, value)
		if key == "default" {
			out.Default = text
			return
		}
		out.Where = append(out.Where, Entry[string]{key, text})
	})
	if out.Default == "" && len(dec.faults) == before {
		dec.fault(where(n), path, "no default", "say `default: …` for everybody whom no other line names")
	}
}

// decode keeps the lines that are there: a document that extends another names only those
// that it changes or adds. An empty mapping empties the table.
func (t *Table[T]) decode(dec *decoder, path string, n ast.Node) {
	out := append(Table[T]{}, *t...)
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) == 0 {
		out = Table[T]{}
	}
	dec.pairs(path, n, func(key, below string, _ position, value ast.Node) {
		i := slices.IndexFunc(out, func(e Entry[T]) bool { return e.Name == key })
		if i < 0 {
			i = len(out)
			out = append(out, Entry[T]{Name: key})
		}
		dec.into(reflect.ValueOf(&out[i].Value).Elem(), below, value)
	})
	*t = out
}

// where is the first character of a node; goccy's own answer for a block mapping is its
// first colon.
func where(n ast.Node) position {
	switch n := n.(type) {
	case nil:
		return position{line: 1, column: 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return at(n.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return at(n.Key.GetToken())
	}
	return at(n.GetToken())
}

func at(tok *token.Token) position {
	if tok == nil || tok.Position == nil {
		return position{line: 1, column: 1}
	}
	return position{line: tok.Position.Line, column: tok.Position.Column}
}
