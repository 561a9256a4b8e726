package policy

import (
	"reflect"
)

// lintWords holds every field with the tag `words` to its list.
func lintWords(l *linter) { l.wordsIn("", reflect.ValueOf(l.d).Elem(), nil) }

func (l *linter) wordsIn(path string, v reflect.Value, known []string) {
	switch value := v.Interface().(type) {
	case Words:
		if known != nil {
			l.allOf(path, value, known...)
		}
		return
	case Varied:
		if known != nil {
			l.oneOf(path, value.Default, known...)
			for _, e := range value.Where {
				l.oneOf(path+"."+e.Name, e.Value, known...)
			}
		}
		return
	}
	switch {
	case v.Kind() == reflect.String && known != nil:
		l.oneOf(path, v.String(), known...)
	case isTable(v.Type()):
		for i := range v.Len() {
			l.wordsIn(path+"."+v.Index(i).Field(0).String(), v.Index(i).Field(1), known)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			l.wordsIn(item(path, i), v.Index(i), known)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			l.fieldWords(path, v.Type().Field(i), v.Field(i))
		}
	}
}

func (l *linter) fieldWords(path string, f reflect.StructField, v reflect.Value) {
	name := f.Tag.Get("policy")
	if name == "" {
		return
	}
	below := name
	if path != "" {
		below = path + "." + name
	}
	if names := f.Tag.Get("names"); names != "" && isTable(f.Type) {
		l.names(below, v, names)
	}
	l.wordsIn(below, v, vocabulary[f.Tag.Get("words")])
}

// names holds the keys of a Table to their list; what a category or a tier is, another look
// says better.
func (l *linter) names(path string, v reflect.Value, list string) {
	if list == "categories" || list == "tiers" {
		return
	}
	for i := range v.Len() {
		name := v.Index(i).Field(0).String()
		l.oneOf(path+"."+name, name, vocabulary[list]...)
	}
}
