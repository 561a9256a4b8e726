package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// State is how far a promise is kept, as tests have shown.
type State string

// The states a report tells apart.
const (
	StateKept   State = "kept"    // the subtest of exactly its id passed
	StatePart   State = "in part" // only subtests of named parts passed
	StateNotYet State = "not yet" // no subtest bears it
	StateBroken State = "broken"  // a subtest that bears it failed, was skipped or never ended
)

// States lists the states in the order of a report.
func States() []State { return []State{StateKept, StatePart, StateNotYet, StateBroken} }

// Verdict is what one test run says about one promise.
type Verdict struct {
	Promise
	State State
	Parts []string // the parts that were seen, in words, sorted
}

// claim matches a subtest that bears a promise directly under any top-level test, or under the
// stores that a test runs on, of which none may fail; deeper subtests belong to the one that they
// stand in.
var claim = regexp.MustCompile(`^Test[^/]*/(?:(?:sqlite\+files|postgres\+s3)/)?([A-Z]-\d+)(?:/part:([^/]+))?$`)

type outcome struct {
	whole string            // action of the subtest of the id itself; empty if there was none
	parts map[string]string // action by part
}

// Tally reads what `go test -json` printed and judges every promise of the catalogue, in
// its order. It fails on lines that are no test events, on a run that did not build, and
// on a subtest that bears an id the catalogue does not have.
func Tally(results io.Reader) ([]Verdict, error) {
	all, err := Promises()
	if err != nil {
		return nil, err
	}
	seen, err := outcomes(results)
	if err != nil {
		return nil, err
	}
	verdicts := make([]Verdict, 0, len(all))
	for _, p := range all {
		verdicts = append(verdicts, judge(p, seen[p.ID]))
		delete(seen, p.ID)
	}
	if len(seen) > 0 {
		return nil, fmt.Errorf("subtests bear ids that promises.yaml does not have: %s",
			strings.Join(slices.Sorted(maps.Keys(seen)), ", "))
	}
	return verdicts, nil
}

type event struct {
	Action string
	Test   string
	Output string
}

func outcomes(results io.Reader) (map[string]*outcome, error) {
	seen := map[string]*outcome{}
	lines := bufio.NewScanner(results)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("test results line %d: not a test event: %w", n, err)
		}
		if e.Action == "build-fail" {
			return nil, fmt.Errorf("the tests that bear promises do not build")
		}
		m := claim.FindStringSubmatch(e.Test)
		if m == nil {
			continue
		}
		note(seen, m[1], m[2], e.Action)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read test results: %w", err)
	}
	return seen, nil
}

// note keeps the last action of a subtest. A failure stays: the same id may be borne
// under two tests, and one pass does not mend the other's failure.
func note(seen map[string]*outcome, id, part, action string) {
	o := seen[id]
	if o == nil {
		o = &outcome{parts: map[string]string{}}
		seen[id] = o
	}
	switch action {
	case "run", "pass", "fail", "skip":
	default:
		return
	}
	if part == "" {
		o.whole = worse(o.whole, action)
		return
	}
	o.parts[part] = worse(o.parts[part], action)
}

func worse(had, now string) string {
	if had == "fail" || had == "skip" {
		return had
	}
	return now
}

func judge(p Promise, o *outcome) Verdict {
	v := Verdict{Promise: p, State: StateNotYet}
	if o == nil {
		return v
	}
	broken := o.whole != "" && o.whole != "pass"
	for _, part := range slices.Sorted(maps.Keys(o.parts)) {
		if o.parts[part] != "pass" {
			broken = true
			continue
		}
		v.Parts = append(v.Parts, strings.ReplaceAll(part, "_", " "))
	}
	switch {
	case broken:
		v.State = StateBroken
	case o.whole == "pass":
		v.State = StateKept
	case len(v.Parts) > 0:
		v.State = StatePart
	}
	return v
}
