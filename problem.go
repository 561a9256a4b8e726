package musa

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The kinds of error. Packages wrap them with the operation and ids; the edges map
// them to a status, each in one table.
var (
	ErrInvalid      = errors.New("invalid")                // the caller's input cannot be used
	ErrTooLarge     = errors.New("too large")              // over a stated limit
	ErrUnsupported  = errors.New("unsupported media type") // not a format we take
	ErrUnauthorized = errors.New("sign-in needed")         // no or unknown credentials
	ErrNotFound     = errors.New("not found")              // absent, or not the actor's
	ErrGone         = errors.New("gone")                   // was the actor's; its life ended
	ErrRefused      = errors.New("refused by policy")      // the policy does not allow it
	ErrUnaffordable = errors.New("not enough credits")
	ErrConflict     = errors.New("conflict")    // another change came first
	ErrLimited      = errors.New("rate limit")  // too many requests
	ErrUnavailable  = errors.New("unavailable") // a part that is needed is missing or full; try later
)

// Problem is an error with words for the person who caused it. Only Public, Code and
// Field reach clients; they never hold submitted values, prompts, names or keys.
type Problem struct {
	Kind   error         // one of the kinds above
	Code   string        // stable, snake_case, for programs: "image_truncated"
	Field  string        // the request's field: "file", "params.scale"; may be empty
	Public string        // one or two sentences: what is wrong and the way out
	Retry  time.Duration // with ErrLimited: how long to wait; 0 where nobody can say
	Cause  error         // for logs; nil if there is none
}

// Error names the code and the cause, which by rule hold no personal data.
func (p *Problem) Error() string {
	if p.Cause != nil {
		return fmt.Sprintf("%s: %v", p.Code, p.Cause)
	}
	return p.Code
}

// Unwrap lets errors.Is find both the kind and the cause.
func (p *Problem) Unwrap() []error {
	if p.Cause != nil {
		return []error{p.Kind, p.Cause}
	}
	return []error{p.Kind}
}

// Prompt is text that a person wrote to make a picture. It redacts itself in logs and
// in formatted errors; Reveal is the one way to its words.
type Prompt string

// Reveal returns the words, for an engine or their owner.
func (p Prompt) Reveal() string { return string(p) }

// String hides the words from fmt.
func (Prompt) String() string { return "[prompt]" }

// GoString hides the words from %#v.
func (Prompt) GoString() string { return "[prompt]" }

// LogValue hides the words from slog.
func (Prompt) LogValue() slog.Value { return slog.StringValue("[prompt]") }

// AccountSuspended refuses what a suspended account may not do.
var AccountSuspended = &Problem{Kind: ErrRefused, Code: "account_suspended",
	Public: "This account is suspended until a person has decided about it: nothing new is made in it. What is yours can still be seen, exported and erased, and support hears you (POST /api/support)."}
