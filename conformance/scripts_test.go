package conformance_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"musa/musatest"
)

// Scripts play a preset's lifetimes on a whole studio whose clock they turn. Those in "both"
// are played on both stores. testdata/script/README.md tells how to read them.
func TestScripts(t *testing.T) {
	t.Parallel()
	play(t, "testdata/script", musatest.Embedded)
	play(t, "testdata/script/both", musatest.Embedded)
}

func TestScriptsOnBothStores(t *testing.T) {
	t.Parallel()
	play(t, "testdata/script/both", musatest.Scaled)
}

// theScene is where a script keeps its scene.
const theScene = "scene"

func play(t *testing.T, dir string, on musatest.Stores) {
	t.Helper()
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name, c := range sceneCommands {
		commands[name] = c.run(name)
	}
	testscript.Run(t, testscript.Params{Dir: dir, Cmds: commands, Setup: func(e *testscript.Env) error {
		e.Values[theScene] = &scene{tb: e.T().(testing.TB), on: on}
		return nil
	}})
}

// command is a word of the scripts: how many words follow it, and what it does. One that
// may be negated asks the scene.
type command struct {
	usage     string
	min, max  int
	negatable bool
	do        func(s *scene, args []string)
}

var sceneCommands = map[string]command{
	"policy":   {"NAME", 1, 1, false, func(s *scene, a []string) { s.open(a[0]) }},
	"publish":  {"FILE", 1, 1, true, func(s *scene, a []string) { s.publish(a[0]) }},
	"person":   {"NAME TIER", 2, 2, false, func(s *scene, a []string) { s.join(a[0], a[1]) }},
	"upload":   {"WHO WHAT [saved]", 2, 3, false, func(s *scene, a []string) { s.upload(a[0], a[1], len(a) == 3) }},
	"make":     {"WHO WHAT from WHAT", 4, 4, false, func(s *scene, a []string) { s.work(a[0], a[1], a[3]) }},
	"before":   {"TIME", 1, 1, false, func(s *scene, a []string) { s.turn(a[0], -1) }},
	"after":    {"TIME", 1, 1, false, func(s *scene, a []string) { s.turn(a[0], 0) }},
	"now":      {"", 0, 0, false, func(s *scene, _ []string) { s.begin = s.Clock.Now() }},
	"away":     {"WHO", 1, 1, false, func(s *scene, a []string) { s.who(a[0]).away = true }},
	"present":  {"WHAT", 1, 1, false, func(s *scene, a []string) { s.present(a[0]) }},
	"absent":   {"WHAT", 1, 1, false, func(s *scene, a []string) { s.absent(a[0]) }},
	"receipt":  {"WHAT RULE", 2, 2, false, func(s *scene, a []string) { s.receipt(a[0], a[1]) }},
	"told":     {"WHAT WORDS", 2, 2, false, func(s *scene, a []string) { s.told(a[0], a[1]) }},
	"chooses":  {"WHO TIME [WORDS]", 2, 3, true, func(s *scene, a []string) { s.choose(a) }},
	"offered":  {"WHO DEFAULT TIME...", 1, 9, false, func(s *scene, a []string) { s.offered(a[0], a[1:]) }},
	"becomes":  {"WHO TIER", 2, 2, false, func(s *scene, a []string) { s.become(a[0], a[1]) }},
	"warned":   {"WHO", 1, 1, true, func(s *scene, a []string) { s.warned(a[0]) }},
	"close":    {"WHO", 1, 1, false, func(s *scene, a []string) { s.leave(a[0]) }},
	"reopen":   {"WHO", 1, 1, true, func(s *scene, a []string) { s.comeBack(a[0]) }},
	"account":  {"WHO", 1, 1, true, func(s *scene, a []string) { s.account(a[0]) }},
	"holding":  {"WHAT", 1, 1, true, func(s *scene, a []string) { s.hold(a[0]) }},
	"held":     {"WHAT", 1, 1, true, func(s *scene, a []string) { s.held(a[0]) }},
	"released": {"WHAT", 1, 1, false, func(s *scene, a []string) { s.release(a[0]) }},
	"version":  {"REF", 1, 1, false, func(s *scene, a []string) { s.version(a[0]) }},
}

func (c command) run(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s := ts.Value(theScene).(*scene)
		s.TestScript, s.not = ts, neg
		if len(args) < c.min || len(args) > c.max || (neg && !c.negatable) {
			ts.Fatalf("usage: %s %s", name, c.usage)
		}
		if s.Studio == nil && name != "policy" {
			ts.Fatalf("begin with policy NAME")
		}
		c.do(s, args)
	}
}
