package musa_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

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
