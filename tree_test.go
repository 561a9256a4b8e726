package musa_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one parsed file of ours.
type source struct {
	path  string // from the module's root, with slashes
	dir   string // "." for the root
	test  bool   // a _test.go file, or a package that exists for tests
	made  bool   // generated
	lines int
	text  string
	file  *ast.File // nil for what is not Go
	fset  *token.FileSet
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

// name is what the file calls an imported package; empty if it does not import it.
func (s source) name(imported string) string {
	for _, spec := range s.file.Imports {
		if unquote(spec.Path) != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

func unquote(lit *ast.BasicLit) string {
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return lit.Value
	}
	return s
}

// testing packages hold no product code: they may name drivers, clocks and settings.
func forTests(file string) bool {
	top, _, _ := strings.Cut(file, "/")
	suite := strings.HasSuffix(path.Dir(file), "test") // engine/enginetest
	return suite || strings.HasSuffix(file, "_test.go") || slices.Contains([]string{"musatest", "e2e", "bench", "conformance"}, top)
}

func parse(t *testing.T, file, text string) source {
	t.Helper()
	s := source{path: file, dir: path.Dir(file), test: forTests(file), lines: strings.Count(text, "\n"), text: text, fset: token.NewFileSet()}
	if path.Ext(file) != ".go" {
		return s
	}
	parsed, err := parser.ParseFile(s.fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parse %s: %v", file, err)
	}
	s.file, s.made = parsed, ast.IsGenerated(parsed)
	return s
}

// readTree parses every file of this module. It does not ask `go list`: the test cache
// stays green after a violation then, whereas it notices files that a test has opened.
func readTree(t *testing.T) []source {
	t.Helper()
	var tree []source
	root := os.DirFS(".")
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if file != "." && foreign(file) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".templ", ".css", ".js"}, path.Ext(file)) {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		tree = append(tree, parse(t, file, string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// foreign folders hold another module, built things or test data.
func foreign(dir string) bool {
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	if slices.Contains([]string{"testdata", "vendor", "node_modules"}, base) {
		return true
	}
	if slices.Contains([]string{"bin", "build", "data", "models"}, dir) {
		return true
	}
	_, err := os.Stat(dir + "/go.mod")
	return err == nil
}

// rule finds what is wrong in a tree. Each comes with planted violations that it must
// find, one tree each, and with a tree that looks alike and is allowed.
type rule struct {
	name    string
	check   func(tree []source) []string
	planted []map[string]string
	allowed map[string]string
}

func TestRules(t *testing.T) {
	t.Parallel()
	tree := readTree(t)
	for _, r := range slices.Concat(importRules, codeRules, declarationRules) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for i, files := range r.planted {
				if len(r.check(plant(t, files))) == 0 {
					t.Errorf("planted violation %d is not found: the rule is blind", i)
				}
			}
			for _, found := range r.check(plant(t, r.allowed)) {
				t.Errorf("the rule finds what is allowed: %s", found)
			}
			for _, found := range r.check(tree) {
				t.Error(found)
			}
		})
	}
}

func plant(t *testing.T, files map[string]string) []source {
	t.Helper()
	var tree []source
	for file, text := range files {
		tree = append(tree, parse(t, file, text))
	}
	return tree
}
