package db_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Whoever looks for receipts without a place in the log says so in the words of the index that
// holds these few. SQLite would else read every receipt: twice a second, when it is sequencing.
func TestLooseReceiptsAreFoundByTheirIndex(t *testing.T) {
	t.Parallel()
	question := regexp.MustCompile(`FROM receipts[^"` + "`" + `]*?WHERE[^"` + "`" + `]*?\bposition = -[12]\b|UPDATE receipts SET position = \? WHERE[^"]*position = \?`)
	named := regexp.MustCompile(`position < 0 AND ([rt]\.)?position = `)
	found := 0
	for _, dir := range []string{".", "../proof", "../backup", "../erasure"} {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if matched, _ := filepath.Match("*_test.go", filepath.Base(name)); matched {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, query := range question.FindAllString(string(text), -1) {
				found++
				if !named.MatchString(query) {
					t.Errorf("%s asks %q: say position < 0 as well", name, query)
				}
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d questions were found: the pattern does not follow the code", found)
	}
}
