package musa_test

import (
	"fmt"
	"go/ast"
	"os"
	"slices"
	"strings"
	"testing"
)

// The order of packages: each imports only what stands below it. A driver or a suite
// ("engine/local", "engine/enginetest") stands where its port does and may import it.
var order = []string{
	"cmd/musa", "e2e", "bench", "conformance", "musatest", "house", "web", "api", "backup", "support", "retention", "rights",
	"erasure", "runner", "studio", "billing", "usage", "notice", "account", "consent",
	"vault", "moderation", "engine", "proof", "neural", "egress", "queue", "pix", "db", "blob",
	"seal", "lang", "audit", "ledger", "policies", "policy", ".",
}

// Every module that is not ours, with its reason. doc/design.md says more.
var modules = map[string]string{
	"github.com/a-h/templ":                         "pages: typed, escaped, compiled; no Node build",
	"github.com/alecthomas/kong":                   "commands, flags and settings from one struct",
	"github.com/aws/aws-sdk-go-v2":                 "S3 credentials and client",
	"github.com/chromedp/chromedp":                 "tests: a real browser",
	"github.com/chromedp/cdproto":                  "tests: the browser's protocol, chromedp's types",
	"github.com/coreos/go-oidc/v3":                 "sign-in with identity providers: discovery and id tokens",
	"github.com/descope/virtualwebauthn":           "tests: an authenticator in the process",
	"github.com/danielgtaylor/huma/v2":             "typed handlers that give OpenAPI 3.1",
	"github.com/emersion/go-smtp":                  "tests: a mail server in the process",
	"github.com/go-webauthn/webauthn":              "passkeys: the checks of WebAuthn",
	"github.com/goccy/go-yaml":                     "strict YAML with the line of each error",
	"github.com/jackc/pgx/v5":                      "PostgreSQL",
	"github.com/johannesboyne/gofakes3":            "tests: an S3 in the process",
	"github.com/makiuchi-d/gozxing":                "tests: reads the QR code of an authenticator app",
	"github.com/mattn/go-sqlite3":                  "SQLite with every pragma that erasure needs",
	"github.com/nats-io/nats-server/v2":            "the queue inside one process",
	"github.com/nats-io/nats.go":                   "the same queue as a cluster",
	"github.com/oauth2-proxy/mockoidc":             "tests: an identity provider in the process",
	"github.com/pressly/goose/v3":                  "migrations, as a library",
	"github.com/pquerna/otp":                       "authenticator apps: HOTP and the otpauth address",
	"github.com/rogpeppe/go-internal":              "tests: scripts that a lawyer can read",
	"github.com/tink-crypto/tink-go/v2":            "keysets and key wrapping",
	"github.com/uptrace/bun":                       "one set of models for both databases",
	"github.com/uptrace/bun/dialect/pgdialect":     "bun for PostgreSQL",
	"github.com/uptrace/bun/dialect/sqlitedialect": "bun for SQLite",
	"github.com/wneessen/go-mail":                  "mails of text and HTML, and the talk with their server",
	"github.com/yalue/onnxruntime_go":              "the neural runtime's C interface",
	"github.com/santhosh-tekuri/jsonschema/v6":     "tests: the policy language's schema, judged by another hand",
	"golang.org/x/crypto":                          "argon2id for passwords",
	"golang.org/x/mod":                             "transparency log and signed notes (sumdb)",
	"golang.org/x/net":                             "internationalised domains of addresses",
	"golang.org/x/oauth2":                          "the exchange of codes with identity providers, with PKCE",
	"golang.org/x/sync":                            "waiting for the goroutines one starts",
	"golang.org/x/sys":                             "fsync of directories, core dumps off",
	"golang.org/x/text":                            "language negotiation",
	"google.golang.org/protobuf":                   "writing ONNX files",
	"pgregory.net/rapid":                           "tests: properties of pure arithmetic",
}

var importRules = []rule{
	{
		name: "a package imports only what stands below it", check: orderRule,
		planted: []map[string]string{
			{"db/x.go": "package db\nimport _ \"musa/vault\"\n"},
			{"pix/x.go": "package pix\nimport _ \"musa/web\"\n"},
			{"engine/x.go": "package engine\nimport _ \"musa/engine/local\"\n"},
			{"engine/local/x.go": "package local\nimport _ \"musa/engine/openai\"\n"},
			{"newplace/x.go": "package newplace\n"},
			{"policy/x.go": "package policy\nimport _ \"musa/policies\"\n"},
			{"musa.go": "package musa\nimport _ \"musa/policy\"\n"},
		},
		allowed: map[string]string{
			"engine/local/x.go": "package local\nimport (\n_ \"musa\"\n_ \"musa/engine\"\n_ \"musa/neural\"\n)\n",
			"db/x_test.go":      "package db_test\nimport _ \"musa/musatest\"\n",
		},
	},
	{
		name: "every module has a reason", check: moduleRule,
		planted: []map[string]string{{"web/x.go": "package web\nimport _ \"github.com/someone/something\"\n"}},
		allowed: map[string]string{"db/x.go": "package db\nimport (\n_ \"database/sql\"\n_ \"github.com/uptrace/bun/schema\"\n)\n"},
	},
	{
		name: "every reason has a module in use", check: staleModuleRule,
		planted: []map[string]string{{"db/x.go": "package db\nimport _ \"github.com/uptrace/bun\"\n"}},
	},
	{
		name: "only cmd/musa and tests name drivers", check: driverRule,
		planted: []map[string]string{
			{"studio/x.go": "package studio\nimport _ \"musa/engine/local\"\n"},
			{"backup/x.go": "package backup\nimport _ \"musa/blob/s3\"\n"},
			{"cmd/musa/x.go": "package main\nimport _ \"musa/engine/enginetest\"\n"},
		},
		allowed: map[string]string{
			"cmd/musa/x.go":    "package main\nimport _ \"musa/engine/local\"\n",
			"musatest/x.go":    "package musatest\nimport _ \"musa/blob/files\"\n",
			"studio/x_test.go": "package studio_test\nimport _ \"musa/engine/enginetest\"\n",
		},
	},
	{
		name: "pages and API call use cases", check: doorRule,
		planted: []map[string]string{
			{"web/x.go": "package web\nimport _ \"musa/db\"\n"},
			{"api/openai/x.go": "package openai\nimport _ \"musa/vault\"\n"},
			{"api/x.go": "package api\nimport _ \"musa/erasure\"\n"},
			{"web/x.go": "package web\nimport _ \"musa/moderation/local\"\n"},
		},
		allowed: map[string]string{"web/x.go": "package web\nimport _ \"musa/studio\"\n"},
	},
	{
		name: "proof leans on nothing that deletes", check: proofRule,
		planted: []map[string]string{
			{"proof/x.go": "package proof\nimport _ \"musa/db\"\n"},
			{"proof/x.go": "package proof\nimport _ \"musa/seal\"\n"},
		},
		allowed: map[string]string{"proof/x.go": "package proof\nimport (\n_ \"musa\"\n_ \"musa/blob\"\n)\n"},
	},
}

// ours calls f with each import of our own packages; the root is ".".
func ours(tree []source, f func(s source, spec *ast.ImportSpec, dir string)) {
	for _, s := range tree {
		if s.file == nil {
			continue
		}
		for _, spec := range s.file.Imports {
			imported := unquote(spec.Path)
			if imported == "musa" {
				f(s, spec, ".")
			} else if dir, ok := strings.CutPrefix(imported, "musa/"); ok {
				f(s, spec, dir)
			}
		}
	}
}

// place is where a folder stands in the order, by its port; -1 if nowhere.
func place(dir string) int {
	return slices.IndexFunc(order, func(port string) bool { return dir == port || strings.HasPrefix(dir, port+"/") })
}

func orderRule(tree []source) (found []string) {
	for _, s := range tree {
		if s.file != nil && place(s.dir) < 0 && !s.test {
			found = append(found, fmt.Sprintf("%s: package %s has no place in the order", s.path, s.dir))
		}
	}
	ours(tree, func(s source, spec *ast.ImportSpec, dir string) {
		if strings.HasSuffix(s.path, "_test.go") {
			return
		}
		from, to := place(s.dir), place(dir)
		below := to > from
		itsPort := to == from && to >= 0 && dir == order[to]
		// What exists for tests is one thing in several folders.
		if below || itsPort || (s.test && to == from) {
			return
		}
		found = append(found, fmt.Sprintf("%s: %s does not stand below %s", s.at(spec), dir, s.dir))
	})
	return found
}

// moduleOf is the listed module that an import belongs to; empty for the standard
// library and for us, and ok is false when no list has it.
func moduleOf(imported string) (module string, ok bool) {
	first, _, _ := strings.Cut(imported, "/")
	if first == "musa" || !strings.Contains(first, ".") {
		return "", true
	}
	for m := range modules {
		if (imported == m || strings.HasPrefix(imported, m+"/")) && len(m) > len(module) {
			module = m
		}
	}
	return module, module != ""
}

func moduleRule(tree []source) (found []string) {
	for _, s := range tree {
		if s.file == nil {
			continue
		}
		for _, spec := range s.file.Imports {
			if _, ok := moduleOf(unquote(spec.Path)); !ok {
				found = append(found, fmt.Sprintf("%s: %s is not in the list of modules: give its reason or do without", s.at(spec), spec.Path.Value))
			}
		}
	}
	return found
}

func staleModuleRule(tree []source) (found []string) {
	if len(tree) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, s := range tree {
		if s.file == nil {
			continue
		}
		for _, spec := range s.file.Imports {
			module, _ := moduleOf(unquote(spec.Path))
			used[module] = true
		}
	}
	for m := range modules {
		if !used[m] {
			found = append(found, fmt.Sprintf("module %s is listed and nothing imports it", m))
		}
	}
	slices.Sort(found)
	return found
}

// driver says that a folder is one implementation of a port, or the suite of a port.
func driver(dir string) bool {
	port, _, ok := strings.Cut(dir, "/")
	return ok && slices.Contains([]string{"engine", "moderation", "blob"}, port)
}

func driverRule(tree []source) (found []string) {
	ours(tree, func(s source, spec *ast.ImportSpec, dir string) {
		suite := strings.HasSuffix(dir, "test")
		if driver(dir) && !s.test && (suite || s.dir != "cmd/musa") {
			found = append(found, fmt.Sprintf("%s: names the driver or suite %s", s.at(spec), dir))
		}
	})
	return found
}

func doorRule(tree []source) (found []string) {
	ours(tree, func(s source, spec *ast.ImportSpec, dir string) {
		top, _, _ := strings.Cut(s.dir, "/")
		if s.test || (top != "web" && top != "api") {
			return
		}
		if slices.Contains([]string{"db", "vault", "erasure"}, dir) || driver(dir) {
			found = append(found, fmt.Sprintf("%s: a door reaches past the use cases, into %s", s.at(spec), dir))
		}
	})
	return found
}

func proofRule(tree []source) (found []string) {
	ours(tree, func(s source, spec *ast.ImportSpec, dir string) {
		if s.dir == "proof" && !s.test && dir != "blob" && dir != "." {
			found = append(found, fmt.Sprintf("%s: the checker leans on %s", s.at(spec), dir))
		}
	})
	return found
}

// doc/design.md is where a reader looks for the reasons; none may be missing there.
func TestDesignNamesEveryPackageAndModule(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc/design.md")
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) bool { return strings.Contains(string(text), "`"+name+"`") }
	for _, dir := range order {
		if dir != "." && !named(dir) {
			t.Errorf("doc/design.md does not say why package %s stands where it does", dir)
		}
	}
	for m := range modules {
		if !named(m) {
			t.Errorf("doc/design.md does not give the reason for %s", m)
		}
	}
}
