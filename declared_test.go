package musa_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"musa"
)

// technical marks a log field that says nothing about a person.
const technical musa.Category = "technical"

// logFields: every key that our code gives to slog, and what a value of it belongs to.
// Errors hold no personal data by rule; ids of people and of their things are listed as
// what they are, so that logs get the lifetime of the security log.
var logFields = map[string]musa.Category{
	"asset":   musa.CategorySecurityLog, // an asset's id leads to its owner
	"attempt": technical,                // how often a job was begun
	"claim":   technical,                // of the policy's security section
	"path":    technical,                // a line of the policy
	"why":     technical,                // the program's own words
	"code":    technical,                // of a Problem, stable and ours
	"mails":   technical,                // how many
	"err":     technical,                // what failed, without personal data by rule
	"error":   technical,                // the same, as the queue and pages call it
	"job":     musa.CategorySecurityLog, // a job's id leads to its owner
	"kind":    technical,                // of a notice between nodes
	"lane":    technical,                // of the queue
	"line":    technical,                // of a published policy
	"route":   technical,                // the pattern, never the path
	"status":  technical,                // of HTTP
	"step":    technical,                // of a loop
	"subject": musa.CategorySecurityLog, // of a queue message, which ends in a job's id
	"version": technical,                // of a policy
}

// cookies: every cookie that the server sets.
var cookies = map[string]musa.Category{
	"musa_session": musa.CategoryCredential,
	"musa_signin":  musa.CategoryCredential, // on the way to an identity provider and back
	"musa_consent": musa.CategoryPreference, // a visitor's choices, strictly necessary
	"musa_lang":    musa.CategoryPreference, // set by consent only
	"musa_theme":   musa.CategoryPreference,
}

// blobPrefixes: how every name in the blob store begins, and what lies there.
var blobPrefixes = map[string][]musa.Category{
	"asset/": {musa.CategoryOriginal, musa.CategoryOutput, musa.CategoryEvidence},
}

var declarationRules = []rule{
	{
		name: "the API embeds nothing that its library passes over", check: embeddedRule,
		planted: []map[string]string{
			{"api/x.go": "package api\ntype spoken struct {\n\tTag string `query:\"lang\"`\n}\ntype in struct {\n\tspoken\n\tBody string\n}\n"},
			{"api/x.go": "package api\ntype spoken struct{}\ntype in struct{ *spoken }\n"},
		},
		allowed: map[string]string{
			"api/x.go":   "package api\ntype Spoken struct{}\ntype in struct {\n\tSpoken\n\tid string\n}\n",
			"vault/x.go": "package vault\ntype a struct{}\ntype b struct{ a }\n",
		},
	},
	{
		name: "every log field has a category", check: logFieldRule,
		planted: []map[string]string{
			{"web/x.go": logging(`log.Info("x", "undeclared_field", 1)`)},
			{"web/x.go": logging(`s.log.ErrorContext(ctx, "x", "undeclared_field", 1)`)},
			{"web/x.go": logging(`s.cfg.Log.With("undeclared_field", 1)`)},
			{"web/x.go": logging(`log.LogAttrs(ctx, slog.LevelInfo, "x", slog.String("undeclared_field", ""))`)},
			{"web/x.go": logging(`slog.Warn("x", slog.Any("undeclared_field", 1))`)},
			{"web/x.go": logging(`_ = slog.Attr{Key: "undeclared_field"}`)},
			{"web/x.go": logging(`log.Info("x", key, 1)`)},
			{"web/x.go": logging(`log.Info("x", id.String(), 1)`)},
			{"web/x.go": logging(`log.Info("x", args...)`)},
			{"web/x.go": "package web\nimport \"log/slog\"\ntype s struct { out *slog.Logger }\n"},
			{"web/x.go": logging(`out := slog.Default(); _ = out`)},
			{"web/x.go": "package web\nimport \"log\"\nfunc f() { log.Printf(\"x\") }\n"},
		},
		allowed: map[string]string{
			"web/x.go":      logging(`log.Info("x"); _ = err.Error(); http.Error(w, "undeclared", 400)`),
			"web/x_test.go": logging(`log.Info("x", "undeclared_field", 1)`),
		},
	},
	{
		name: "every cookie has a category", check: cookieRule,
		planted: []map[string]string{
			{"web/x.go": "package web\nimport \"net/http\"\nvar c = http.Cookie{Name: \"undeclared\"}\n"},
			{"web/x.go": "package web\nimport \"net/http\"\nvar c = &http.Cookie{Name: name()}\n"},
			{"web/x.go": "package web\nimport \"net/http\"\nconst jar = \"undeclared\"\nvar c = http.Cookie{Name: jar}\n"},
			{"web/x.go": "package web\nimport \"net/http\"\nvar c = http.Cookie{\"undeclared\", \"\"}\n"},
			{"api/x.go": "package api\nimport \"net/http\"\nvar c = []*http.Cookie{{Name: \"undeclared\"}}\n"},
			{"api/x.go": "package api\ntype out struct { Jar string `header:\"Set-Cookie\"` }\n"},
			{"web/x.go": "package web\nfunc f() { w.Header().Add(\"Set-Cookie\", \"undeclared=1\") }\n"},
			{"web/static/x.js": "document.cookie = 'undeclared=1'\n"},
		},
		allowed: map[string]string{
			"api/x.go": "package api\nimport \"net/http\"\nconst jar = \"musa_session\"\ntype out struct { Jar []*http.Cookie `header:\"Set-Cookie\"` }\nvar c = []*http.Cookie{{Name: jar}}\n",
		},
	},
	{
		name: "every prefix of the blob store has a category", check: prefixRule,
		planted: []map[string]string{
			{"vault/x.go": "package vault\nconst PrefixOther = \"undeclared/\"\n"},
			{"vault/x.go": "package vault\nconst (\n\ta = 1\n\totherPrefix = \"undeclared/\"\n)\n"},
			{"studio/x.go": "package studio\nimport _ \"musa/blob\"\nfunc f() { s.Put(ctx, \"x\", r) }\n"},
		},
		allowed: map[string]string{"vault/x.go": "package vault\nimport _ \"musa/blob\"\nfunc f() { s.Put(ctx, \"x\", r) }\n"},
	},
	{
		name: "every declaration is in use and names a category of the policy", check: staleDeclarationRule,
	},
}

// constants are a folder's string constants by name.
func constants(tree []source, dir string) map[string]string {
	values := map[string]string{}
	for _, s := range product(tree) {
		if s.dir != dir {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if i < len(spec.Values) {
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						values[name.Name] = unquote(lit)
					}
				}
			}
			return true
		})
	}
	return values
}

const pastCookies = ": sets a cookie past http.Cookie, where its name is not checked"

// pointed is what a pointer type points to; any other type is itself.
func pointed(e ast.Expr) ast.Expr {
	if star, ok := e.(*ast.StarExpr); ok {
		return star.X
	}
	return e
}

func cookieNames(tree []source) (names, found []string) {
	for _, s := range product(tree) {
		pkg := s.name("net/http")
		isCookie := func(e ast.Expr) bool { return selector(pointed(e)) == pkg+".Cookie" }
		name := func(e ast.Expr) {
			lit, ok := e.(*ast.CompositeLit)
			if !ok {
				return
			}
			switch name := element(lit, "Name").(type) {
			case *ast.BasicLit:
				names = append(names, unquote(name))
			case *ast.Ident:
				names = append(names, constants(tree, s.dir)[name.Name])
			default:
				found = append(found, s.at(lit)+": a cookie whose name is neither literal nor constant cannot be checked")
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if isCookie(n.Type) {
					name(n)
				}
				// In a list of cookies each one leaves its type out.
				if list, ok := n.Type.(*ast.ArrayType); ok && isCookie(list.Elt) {
					for _, e := range n.Elts {
						if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil {
							name(lit)
						}
					}
				}
			case *ast.BasicLit:
				if unquote(n) == "Set-Cookie" {
					found = append(found, s.at(n)+pastCookies)
				}
			case *ast.Field:
				list, ok := n.Type.(*ast.ArrayType)
				if n.Tag != nil && strings.Contains(n.Tag.Value, `"Set-Cookie"`) && (!ok || !isCookie(list.Elt)) {
					found = append(found, s.at(n)+pastCookies)
				}
			}
			return true
		})
	}
	return names, found
}

func cookieRule(tree []source) []string {
	names, found := cookieNames(tree)
	for _, name := range names {
		if cookies[name] == "" {
			found = append(found, fmt.Sprintf("cookie %q has no category", name))
		}
	}
	for _, s := range tree {
		if s.file == nil && strings.Contains(s.text, "document.cookie") {
			found = append(found, s.path+pastCookies)
		}
	}
	return found
}

func prefixes(tree []source) (values []string) {
	for name, value := range constants(tree, "vault") {
		if strings.HasPrefix(name, "Prefix") || strings.HasSuffix(name, "Prefix") {
			values = append(values, value)
		}
	}
	return values
}

// prefixRule also refuses to name blobs anywhere but where the prefixes stand.
func prefixRule(tree []source) (found []string) {
	for _, p := range prefixes(tree) {
		if len(blobPrefixes[p]) == 0 {
			found = append(found, fmt.Sprintf("blob prefix %q has no category", p))
		}
	}
	for _, s := range product(tree) {
		if s.dir == "vault" || s.dir == "backup" || s.dir == "cmd/musa" || place(s.dir) == place("blob") || s.name("musa/blob") == "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && lastOf(call.Fun) == "Put" {
				found = append(found, s.at(call)+": writes a blob past the vault, which names and seals them")
			}
			return true
		})
	}
	return found
}

func staleDeclarationRule(tree []source) (found []string) {
	if len(tree) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, s := range product(tree) {
		keys, _ := logKeys(s)
		for k := range keys {
			used["log field "+k] = true
		}
	}
	names, _ := cookieNames(tree)
	for _, name := range names {
		used["cookie "+name] = true
	}
	for _, p := range prefixes(tree) {
		used["prefix "+p] = true
	}
	known := append(musa.Categories(), technical)
	declared := func(what string, in ...musa.Category) {
		if !used[what] {
			found = append(found, what+" is declared and not in use")
		}
		for _, c := range in {
			if !slices.Contains(known, c) {
				found = append(found, fmt.Sprintf("%s: the policy has no category %q", what, c))
			}
		}
	}
	for k, c := range logFields {
		declared("log field "+k, c)
	}
	for name, c := range cookies {
		declared("cookie "+name, c)
	}
	for p, in := range blobPrefixes {
		declared("prefix "+p, in...)
	}
	slices.Sort(found)
	return found
}

// embeddedRule: huma reads no parameter of a struct that is embedded under a name of small letters,
// and says nothing about it.
func embeddedRule(tree []source) (found []string) {
	for _, s := range product(tree) {
		if s.dir != "api" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			fields, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				embedded := f.Type
				if p, ok := embedded.(*ast.StarExpr); ok {
					embedded = p.X
				}
				if name, ok := embedded.(*ast.Ident); ok && len(f.Names) == 0 && !name.IsExported() {
					found = append(found, fmt.Sprintf("%s: embeds %s: what a request carries for it is not read; export it", s.at(f), name.Name))
				}
			}
			return true
		})
	}
	return found
}
