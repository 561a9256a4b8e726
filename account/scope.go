package account

import (
	"slices"
	"strings"

	"musa"
)

// Scope is what a key of the API may be used for. What no scope covers, no key does: signing in,
// proving who one is, changing how one signs in, taking everything out, closing the account, and
// whatever staff do.
type Scope string

// The scopes.
const (
	ScopeRead    Scope = "read"    // look at pictures, jobs, receipts and settings
	ScopeCreate  Scope = "create"  // upload, order and change
	ScopeErase   Scope = "erase"   // erase pictures and what was said about them
	ScopeAccount Scope = "account" // read and change the profile, choices and consents
	ScopeSupport Scope = "support" // write to support, rate pictures
)

// Scopes lists them all, in the order in which they are shown.
func Scopes() []Scope {
	return []Scope{ScopeRead, ScopeCreate, ScopeErase, ScopeAccount, ScopeSupport}
}

// scopes checks what was asked for and gives it one spelling.
func scopes(asked []Scope) (string, error) {
	var words []string
	for _, s := range Scopes() {
		if slices.Contains(asked, s) {
			words = append(words, string(s))
		}
	}
	if len(words) == 0 || slices.ContainsFunc(asked, func(s Scope) bool { return !slices.Contains(Scopes(), s) }) {
		all := make([]string, 0, len(Scopes()))
		for _, s := range Scopes() {
			all = append(all, string(s))
		}
		return "", &musa.Problem{Kind: musa.ErrInvalid, Code: "scope_unknown", Field: "scopes",
			Public: "Name at least one thing that the key may do: " + strings.Join(all, ", ") + "."}
	}
	return strings.Join(words, " "), nil
}

// scopeList reads what scopes wrote.
func scopeList(words string) []Scope {
	var list []Scope
	for _, w := range strings.Fields(words) {
		list = append(list, Scope(w))
	}
	return list
}
