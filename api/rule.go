package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
)

// Rule says who may use a route. Each route declares one beside its registration; one that
// has none fails the start, and is closed to everybody until then. Promises E-14, W-14.
type Rule struct {
	Act   musa.Act           // what is done with what is the actor's; empty where nobody has to be there
	Staff func() []musa.Role // whose roles open it; nil where it is not the staff's
	// Inside says that the act is a member's, in the workspace whose id stands in the path.
	Inside bool
	// Strangers says that somebody without a session may do it, too: for who has one, the act
	// decides as everywhere.
	Strangers bool

	reads bool // the request changes nothing
}

// ruleKey is where a Rule stands in an operation's metadata.
const ruleKey = "musa.rule"

// open is the rule of routes that anybody may use, also without a session: what they answer
// is the same for all, or is opened by a secret of its own.
var open = map[string]any{ruleKey: Rule{}}

// may is the rule of routes that act on what is the actor's: an act decides for API keys and
// in workspaces. What is another's answers 404 there, as if it were not.
func may(act musa.Act) map[string]any { return map[string]any{ruleKey: Rule{Act: act}} }

// mayToo is the rule of routes that act on what is the actor's, and that visitors without a
// session use as well.
func mayToo(act musa.Act) map[string]any {
	return map[string]any{ruleKey: Rule{Act: act, Strangers: true}}
}

// inside is the rule of routes that are about the workspace in their path.
func inside(act musa.Act) map[string]any {
	return map[string]any{ruleKey: Rule{Act: act, Inside: true}}
}

// staffed is the rule of the staff's routes. To all others they do not exist.
func staffed(roles func() []musa.Role) map[string]any {
	return map[string]any{ruleKey: Rule{Staff: roles}}
}

// Route is one pattern that the API answers, with its rule.
type Route struct {
	Method, Path string
	Rule         Rule
}

// table is the mux of all routes, which remembers their patterns.
type table struct {
	http.ServeMux
	patterns []string
	rules    map[string]Rule
}

// HandleFunc registers a pattern; huma does so for its operations.
func (t *table) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	t.patterns = append(t.patterns, pattern)
	t.ServeMux.HandleFunc(pattern, h)
}

// raw registers a route that huma does not handle, because it streams.
func (d *door) raw(pattern string, rule map[string]any, h http.HandlerFunc) {
	d.mux.rules[pattern] = rule[ruleKey].(Rule)
	d.mux.HandleFunc(pattern, h)
}

// settle takes the rules from the operations. It names the routes that have none.
func (d *door) settle() error {
	for path, item := range d.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op == nil {
				continue
			}
			if rule, ok := op.Metadata[ruleKey].(Rule); ok {
				d.mux.rules[op.Method+" "+path] = rule
			}
		}
	}
	var bare []string
	for _, p := range d.mux.patterns {
		if _, ok := d.mux.rules[p]; !ok {
			bare = append(bare, p)
		}
	}
	if len(bare) > 0 {
		return fmt.Errorf("routes without a rule: %s", strings.Join(bare, ", "))
	}
	return nil
}

// Routes lists what the API answers, by path and method.
func (d *Door) Routes() []Route {
	var list []Route
	for _, p := range d.door.mux.patterns {
		method, path, found := strings.Cut(p, " ")
		if !found {
			continue // the one for all that is not there
		}
		list = append(list, Route{Method: method, Path: path, Rule: d.door.mux.rules[p]})
	}
	slices.SortFunc(list, func(a, b Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	return list
}

// ruleFor finds the rule of the route that a request is for.
func (d *door) ruleFor(r *http.Request) (Rule, bool) {
	_, pattern := d.mux.Handler(r)
	rule, ok := d.mux.rules[pattern]
	rule.reads = r.Method == http.MethodGet || r.Method == http.MethodHead
	return rule, ok
}

// scopes is which scope of an API key covers an act. What is open to all is read with the one
// that reads; what is missing here, no key may do.
var scopes = map[musa.Act]account.Scope{"": account.ScopeRead, musa.ActSee: account.ScopeRead, musa.ActMake: account.ScopeCreate,
	musa.ActErase: account.ScopeErase, musa.ActAsk: account.ScopeSupport, musa.ActGovern: account.ScopeAccount}

// scopeOf is the scope that a route asks of an API key, empty where none will do.
func scopeOf(rule Rule, known bool) account.Scope {
	if !known || rule.Staff != nil || rule.Act == "" && !rule.reads {
		return ""
	}
	return scopes[rule.Act]
}

// guard asks a route's rule before anything of a request is looked at: to somebody who may
// not use it, a wrong body and a right one are the same. What has no rule is nobody's.
func (d *door) guard(w http.ResponseWriter, r *http.Request) {
	rule, ok := d.ruleFor(r)
	if !ok {
		d.fail(w, r, noRoute())
		return
	}
	if err := d.let(r.Context(), rule); err != nil {
		d.fail(w, r, err)
		return
	}
	d.mux.ServeHTTP(w, r)
}

// let refuses whom the rule does not let by.
func (d *door) let(ctx context.Context, rule Rule) error {
	if rule.Act == "" {
		return nil
	}
	by, err := actor(ctx)
	if rule.Strangers && errors.Is(err, musa.ErrUnauthorized) {
		return nil
	}
	if err == nil {
		err = by.May(rule.Act)
	}
	if err == nil && rule.Act == musa.ActMake {
		err = d.Notices.Use(ctx, by) // making something is what accepts; reading and leaving do not
	}
	return err
}
