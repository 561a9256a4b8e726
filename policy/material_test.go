package policy_test

import (
	"slices"
	"strings"
	"testing"

	"musa/policies"
	"musa/policy"
)

// Each line of the preset that is replaced, with why that matters to people; nothing where it
// is in their favour or only said otherwise.
func TestWhatMattersInAChange(t *testing.T) {
	t.Parallel()
	older, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(older.YAML())
	for _, c := range []struct {
		name, was, is string
		want          []string
	}{
		{"another name of the controller", "Example Studio", "Example Studio Ltd", nil},
		{"kept longer", "keep: 48h", "keep: 72h", []string{policy.Longer}},
		{"kept shorter", "keep: 48h", "keep: 36h", nil},
		{"gone later", "purge: {within: 60s", "purge: {within: 90s", []string{policy.Longer}},
		{"mails kept longer once sent", "from: sent, keep: 7d", "from: sent, keep: 9d", []string{policy.Longer}},
		{"a processor", "processors: {}", "processors: {acme: {hosts: [api.acme.example], from: server, for: [generate], gets: [prompt], country: DE, trains: never}}", []string{policy.Recipients}},
		{"staff sees more", "support: [help]", "support: [help, secure]", []string{policy.Recipients}},
		{"another basis", "basis: legitimate_interest", "basis: contract", []string{policy.Purposes}},
		{"a slower answer", "access: {gdpr: 15, within: 1mo", "access: {gdpr: 15, within: 2mo", []string{policy.Rights}},
		{"a right less", "self_service: true, unit: [asset, prompt, account], grace", "self_service: true, unit: [asset, account], grace", []string{policy.Rights}},
		{"deaf to the signal", "marketing: {mode: opt_in, gpc: refuse}", "marketing: {mode: opt_in}", []string{policy.Rights}},
	} {
		if !strings.Contains(text, c.was) {
			t.Fatalf("%s: the preset has no %q", c.name, c.was)
		}
		changed := strings.Replace(text, c.was, c.is, 1)
		newer, err := policies.Parse("./changed.yaml", func(string) ([]byte, error) { return []byte(changed), nil })
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := policy.Matters(older, newer); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if got := policy.Matters(older, older); got != nil {
			t.Errorf("%s: a document against itself: %v", c.name, got)
		}
	}
}
