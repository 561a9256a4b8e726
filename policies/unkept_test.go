package policies_test

import (
	"os"
	"testing"

	"musa/policies"
)

// A preset says nothing that the program does not do.
func TestPresetsAreKept(t *testing.T) {
	t.Parallel()
	for _, name := range policies.Names() {
		doc, err := policies.Load(name, os.ReadFile)
		if err != nil {
			t.Fatal(err)
		}
		if unkept := doc.Unkept(); len(unkept) > 0 {
			t.Errorf("%s says %+v", name, unkept)
		}
	}
}
