package policy

import (
	"encoding/json"
	"reflect"
)

// SchemaID names the language's schema, as documents and editors cite it.
const SchemaID = "urn:musa:policy"

// whole is what a document has to say that extends no other.
var whole = []string{
	"policy", "version", "effective", "controller", "tiers", "categories", "purposes", "retention",
	"lifecycle", "rights", "processors", "age", "sale", "security", "changes",
}

// object is one JSON object of a schema; encoding/json sorts its keys.
type object = map[string]any

// Schema is the language as JSON Schema 2020-12, made from the types that Parse fills, so
// that the two cannot differ. It tells form and words; what contradicts itself Lint finds.
// It is the same for every document.
func (d *Document) Schema() []byte {
	s := schemaOf(reflect.TypeFor[Document](), "")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = SchemaID
	s["title"] = "A privacy policy that Musa runs"
	s["if"] = object{"required": []string{"extends"}}
	s["else"] = object{"required": whole, "properties": object{"categories": object{"required": vocabulary["categories"]}}}
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // strings, lists and maps of them: there is nothing that JSON cannot say
	}
	return append(out, '\n')
}

func schemaOf(t reflect.Type, tag reflect.StructTag) object {
	switch reflect.Zero(t).Interface().(type) {
	case Flag:
		return object{"type": "boolean"}
	case Count:
		return object{"type": "integer", "minimum": 0}
	case Size:
		return object{"type": "string", "pattern": `^[1-9][0-9]*(KB|MB|GB|TB)$`}
	case Span:
		return object{"type": "string", "pattern": `^([0-9]+(s|m|h|d|mo|y)|indefinite)$`}
	case Words:
		one := wordSchema(tag)
		return object{"anyOf": []any{one, object{"type": "array", "items": one, "uniqueItems": true}}}
	case Varied:
		one := wordSchema(tag)
		return object{"anyOf": []any{one, object{"type": "object", "additionalProperties": one, "required": []string{"default"}}}}
	}
	switch {
	case isTable(t):
		s := object{"type": "object", "additionalProperties": schemaOf(t.Elem().Field(1).Type, tag)}
		if names := tag.Get("names"); names != "" {
			s["propertyNames"] = object{"enum": vocabulary[names]}
		}
		return s
	case t.Kind() == reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), tag)}
	case t.Kind() == reflect.Struct:
		return structSchema(t)
	}
	return wordSchema(tag)
}

func structSchema(t reflect.Type) object {
	properties := object{}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("policy"); name != "" {
			properties[name] = schemaOf(f.Type, f.Tag)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if t == reflect.TypeFor[Rule]() {
		// A list is replaced as a whole, so its rules are whole in every document.
		s["required"] = []string{"for"}
		s["anyOf"] = []any{object{"required": []string{"keep"}}, object{"required": []string{"same_as"}}}
	}
	return s
}

// wordSchema is one word: from a list, of a form, or any that is not blank.
func wordSchema(tag reflect.StructTag) object {
	for _, key := range []string{"words", "refers"} {
		if known := vocabulary[tag.Get(key)]; known != nil {
			return object{"type": "string", "enum": known}
		}
	}
	f, ok := forms[tag.Get("form")]
	switch {
	case !ok:
		return object{"type": "string", "minLength": 1}
	case f.number:
		return object{"type": []string{"string", "number"}, "pattern": f.pattern}
	}
	return object{"type": "string", "pattern": f.pattern}
}
