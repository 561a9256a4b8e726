package policies_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"musa/policies"
)

// A version's text never changes: a server that took it up refuses another under its name. A
// change of one preset changes all that extend it, and each of them needs a new version.
// After giving it, write the list anew with -update.
func TestPresetsKeepTheTextOfTheirVersion(t *testing.T) {
	t.Parallel()
	const file = "testdata/published.txt"
	var b strings.Builder
	for _, name := range policies.Names() {
		d, err := policies.Load(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", d.Ref(), d.Hash())
	}
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("a preset's text is another than the one under its version:\n%s\nwant\n%s", &b, want)
	}
}
