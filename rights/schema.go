package rights

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"musa"
)

// SchemaID names the schema of an export, as archives cite it.
const SchemaID = "urn:musa:export:1"

// object is one JSON object of a schema; encoding/json sorts its keys.
type object = map[string]any

// Schema is the form of an export as JSON Schema 2020-12, made from the types that an export
// is written with, so that the two cannot differ. It describes an object with one member for
// each JSON file of the archive, and each file's form as a definition under its name.
func Schema() []byte {
	defs, properties := object{}, object{}
	add := func(name string, holds reflect.Type) {
		defs[name] = formOf(holds)
		properties[name] = object{"$ref": "#/$defs/" + name}
	}
	for _, f := range files {
		add(f.name, reflect.TypeOf(f.holds))
	}
	for _, c := range musa.Categories() {
		if name := partOf(c); properties[name] == nil {
			add(name, reflect.TypeFor[Part]())
		}
	}
	manifest := defs[fileManifest].(object)["properties"].(object)
	manifest["format"], manifest["version"] = object{"const": Format}, object{"const": FormatVersion}
	manifest["scope"] = object{"enum": []string{scopeAccount, scopeAsset, scopePrompt}}
	out, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaID, "title": "What a person takes along from Musa",
		"type": "object", "properties": properties, "additionalProperties": false, "$defs": defs,
		"required": []string{fileManifest, fileHistory, fileJobs, fileContents},
	}, "", "  ")
	if err != nil {
		panic(err) // strings, lists and maps of them: there is nothing that JSON cannot say
	}
	return append(out, '\n')
}

func formOf(t reflect.Type) object {
	switch {
	case t.Kind() == reflect.Pointer:
		return object{"anyOf": []any{formOf(t.Elem()), object{"type": "null"}}}
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface:
		return object{}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()), t.Kind() == reflect.String:
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": []string{"string", "null"}, "contentEncoding": "base64"}
		}
		return object{"type": []string{"array", "null"}, "items": formOf(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": formOf(t.Elem())}
	case reflect.Struct:
		return structForm(t)
	}
	return object{"type": "integer"}
}

func structForm(t reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			inner := structForm(f.Type)
			for n, p := range inner["properties"].(object) {
				properties[n] = p
			}
			required = append(required, inner["required"].([]string)...)
			continue
		}
		properties[name] = formOf(f.Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
