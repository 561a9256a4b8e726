package conformance

import (
	"strings"
	"testing"
)

const partMark = "/part:"

// Kept runs f as the subtest that bears the promise's id. When it passes, the report
// calls the promise kept: f must look for everything under "seen".
func Kept(t *testing.T, id string, f func(t *testing.T)) {
	t.Helper()
	known(t, id)
	t.Run(id, func(t *testing.T) {
		once(t, id)
		f(t)
	})
}

// Part runs f as a subtest of one part of the promise, named by what of it is seen
// ("undeclared host refused"). Parts never add up to a kept promise by themselves.
func Part(t *testing.T, id, what string, f func(t *testing.T)) {
	t.Helper()
	known(t, id)
	if what == "" || strings.Contains(what, "/") {
		t.Fatalf("part of %s: name what of it is seen, in words without a slash", id)
	}
	name := id + partMark + what
	t.Run(name, func(t *testing.T) {
		once(t, strings.ReplaceAll(name, " ", "_"))
		f(t)
	})
}

func known(t *testing.T, id string) {
	t.Helper()
	all, err := Promises()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.ID == id {
			return
		}
	}
	t.Fatalf("no promise %s in promises.yaml", id)
}

// once refuses a name that testing had to number: a promise claimed twice in one test
// would be reported under a name that nobody looks for.
func once(t *testing.T, want string) {
	t.Helper()
	if !strings.HasSuffix(t.Name(), "/"+want) {
		t.Fatalf("%s is claimed twice under this test", want)
	}
}
