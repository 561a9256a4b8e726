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
	"code":    technical,                // of a Problem, stable and ours
	"err":     technical,                // what failed, without personal data by rule
	"error":   technical,                // the same, as the queue and pages call it
	"job":     musa.CategorySecurityLog, // a job's id leads to its owner
	"kind":    technical,                // of a notice between nodes
	"lane":    technical,                // of the queue
	"route":   technical,                // the pattern, never the path
	"status":  technical,                // of HTTP
	"step":    technical,                // of a loop
	"subject": musa.CategorySecurityLog, // of a queue message, which ends in a job's id
}

// cookies: every cookie that the server sets.
var cookies = map[string]musa.Category{}

// blobPrefixes: how every name in the blob store begins, and what lies there.
var blobPrefixes = map[string][]musa.Category{
	"asset/": {musa.CategoryOriginal, musa.CategoryOutput},
}

var declarationRules = []rule{
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

func logging(body string) string {
	return "package web\nimport (\n\t\"log/slog\"\n\t\"net/http\"\n)\nvar _ = http.Error\nfunc f(log *slog.Logger) { " + body + " }\n"
}

var (
	levels = []string{"Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext", "ErrorContext", "Log", "LogAttrs", "With"}
	attrs  = []string{"String", "Int", "Int64", "Uint64", "Float64", "Bool", "Time", "Duration", "Any", "Group", "GroupAttrs"}
)

// logKeys finds the keys that a file gives to slog, each with its place, and what it
// cannot read. Loggers are told by their name: log, Log or logger; a logger by another
// name is itself a finding, so that nothing logs unseen.
func logKeys(s source) (keys map[string]string, found []string) {
	keys = map[string]string{}
	key := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			keys[unquote(lit)] = s.at(e)
			return
		}
		found = append(found, s.at(e)+": a log key that is not a literal cannot be checked")
	}
	pkg := s.name("log/slog")
	if std := s.name("log"); std != "" {
		found = append(found, s.path+": logs past slog, through package log")
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			on := last(sel.X)
			switch {
			case pkg != "" && on == pkg && slices.Contains(attrs, sel.Sel.Name):
				key(n.Args[0])
			case isLogger(on, pkg) && slices.Contains(levels, sel.Sel.Name):
				found = append(found, pairs(s, n, pkg, key)...)
			}
		case *ast.CompositeLit:
			if pkg != "" && selector(n.Type) == pkg+".Attr" {
				key(element(n, "Key"))
			}
		case *ast.Field:
			if star, ok := n.Type.(*ast.StarExpr); ok && pkg != "" && selector(star.X) == pkg+".Logger" {
				for _, name := range n.Names {
					found = append(found, misnamed(s, name, pkg)...)
				}
			}
		case *ast.AssignStmt:
			for i, right := range n.Rhs {
				call, ok := right.(*ast.CallExpr)
				if ok && pkg != "" && slices.Contains([]string{pkg + ".New", pkg + ".Default", pkg + ".With"}, selector(call.Fun)) && i < len(n.Lhs) {
					found = append(found, misnamed(s, n.Lhs[i], pkg)...)
				}
			}
		}
		return true
	})
	return keys, found
}

func misnamed(s source, e ast.Expr, pkg string) []string {
	if isLogger(last(e), pkg) {
		return nil
	}
	return []string{fmt.Sprintf("%s: a logger named %q; call it log, so that its fields are checked", s.at(e), last(e))}
}

func isLogger(name, pkg string) bool {
	return slices.Contains([]string{"log", "Log", "logger"}, name) || (pkg != "" && name == pkg)
}

// pairs reads the key-value arguments of one call; attributes are found by themselves.
func pairs(s source, call *ast.CallExpr, pkg string, key func(ast.Expr)) []string {
	level := lastOf(call.Fun)
	if call.Ellipsis.IsValid() {
		return []string{s.at(call) + ": spread log arguments cannot be checked"}
	}
	first := 1
	switch {
	case level == "With":
		first = 0
	case strings.HasSuffix(level, "Context"):
		first = 2
	case level == "Log" || level == "LogAttrs":
		first = 3
	}
	for i := first; i < len(call.Args); i++ {
		if inner, ok := call.Args[i].(*ast.CallExpr); ok && strings.HasPrefix(selector(inner.Fun), pkg+".") && slices.Contains(attrs, lastOf(inner.Fun)) {
			continue
		}
		if lit, ok := call.Args[i].(*ast.CompositeLit); ok && selector(lit.Type) == pkg+".Attr" {
			continue
		}
		key(call.Args[i])
		i++
	}
	return nil
}

// last is the final name of an expression: "Log" of s.cfg.Log; that of a call's function's
// receiver for chained calls such as log.With(…).Info.
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"With", "WithGroup", "Default", "New"}, sel.Sel.Name) {
			return last(sel.X)
		}
	}
	return ""
}

func lastOf(fun ast.Expr) string {
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		return sel.Sel.Name
	}
	return ""
}

// selector prints "pkg.Name"; empty for anything else.
func selector(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

// element is a composite literal's value for a field; the literal itself if it is unkeyed
// or lacks the field, so that a caller who wants a literal string refuses it.
func element(lit *ast.CompositeLit, field string) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok && id.Name == field {
				return kv.Value
			}
		}
	}
	return lit
}

func logFieldRule(tree []source) (found []string) {
	for _, s := range product(tree) {
		keys, unread := logKeys(s)
		found = append(found, unread...)
		for k, at := range keys {
			if logFields[k] == "" {
				found = append(found, fmt.Sprintf("%s: log field %q has no category", at, k))
			}
		}
	}
	return found
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

func cookieNames(tree []source) (names, found []string) {
	for _, s := range product(tree) {
		pkg := s.name("net/http")
		if pkg == "" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || selector(lit.Type) != pkg+".Cookie" {
				return true
			}
			switch name := element(lit, "Name").(type) {
			case *ast.BasicLit:
				names = append(names, unquote(name))
			case *ast.Ident:
				names = append(names, constants(tree, s.dir)[name.Name])
			default:
				found = append(found, s.at(lit)+": a cookie whose name is neither literal nor constant cannot be checked")
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
