package policies_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"musa/policies"
	"musa/policy"
)

// Each script turns one thing of a preset into a fault, and says which words the server
// must refuse it with and on which line. See testdata/script/README.md for the commands.
func TestFaultScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { e.Values[theDraft] = &draft{}; return nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"policy":  takePreset,
			"file":    takeFile,
			"without": edit(1, func(d *draft, a []string) error { return d.without(a[0]) }),
			"change":  edit(2, func(d *draft, a []string) error { return d.change(a[0], a[1]) }),
			"add":     edit(2, func(d *draft, a []string) error { return d.add(a[0], a[1]) }),
			"refused": wantRefused,
			"at":      wantLine,
			"good":    wantGood,
		},
	})
}

func TestThereAreEnoughFaultScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) < 50 {
		t.Errorf("%d scripts, want 50 (%v)", len(scripts), err)
	}
}

// theDraft is where a script keeps its draft.
const theDraft = "draft"

// load is what a server does with the text at its start.
func (d *draft) load() policy.Faults {
	_, err := policies.Load("./draft.yaml", func(string) ([]byte, error) { return []byte(d.text()), nil })
	var faults policy.Faults
	if err != nil && !errors.As(err, &faults) {
		faults = policy.Faults{{Reason: err.Error()}}
	}
	return faults
}

func drafted(ts *testscript.TestScript) *draft { return ts.Value(theDraft).(*draft) }

// takePreset begins with a whole preset, which has no fault.
func takePreset(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: policy NAME")
	}
	doc, err := policies.Load(args[0], nil)
	ts.Check(err)
	d := drafted(ts)
	ts.Check(d.read(doc.YAML()))
	if faults := d.load(); len(faults) > 0 {
		ts.Fatalf("the script's own way of writing %s has faults:\n%v", args[0], faults)
	}
}

// takeFile begins with a text as it stands in the script.
func takeFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: file NAME")
	}
	d := drafted(ts)
	d.whole, d.verbatim = nil, ts.ReadFile(args[0])
}

func edit(n int, do func(*draft, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != n {
			ts.Fatalf("wants %d words", n)
		}
		before := drafted(ts).text()
		ts.Check(do(drafted(ts), args))
		if drafted(ts).text() == before {
			ts.Fatalf("changes nothing")
		}
	}
}

// wantRefused looks for a fault at a path with these words in its reason and its remedy.
func wantRefused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: refused PATH REASON REMEDY")
	}
	d := drafted(ts)
	path, faults := d.cited(args[0]), d.load()
	for i, f := range faults {
		if f.Path == path && strings.Contains(f.Reason, args[1]) && strings.Contains(f.Remedy, args[2]) {
			d.fault = &faults[i]
			return
		}
	}
	ts.Fatalf("no fault at %s with “%s” and “%s” among:\n%v", path, args[1], args[2], faults)
}

// wantLine looks at the line that the last refusal cites.
func wantLine(ts *testscript.TestScript, neg bool, args []string) {
	d := drafted(ts)
	if neg || len(args) != 1 || d.fault == nil {
		ts.Fatalf("usage, after refused: at TEXT")
	}
	lines := strings.Split(d.text(), "\n")
	if n := d.fault.Line; n < 1 || n > len(lines) || !strings.Contains(lines[n-1], args[0]) {
		ts.Fatalf("cites line %d: %s", n, fmt.Sprint(lines[min(max(n, 1), len(lines))-1]))
	}
}

func wantGood(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: good")
	}
	if faults := drafted(ts).load(); len(faults) > 0 {
		ts.Fatalf("faults:\n%v", faults)
	}
}
