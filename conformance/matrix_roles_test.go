package conformance_test

import (
	"slices"
	"testing"

	"musa/conformance"
	"musa/musatest"
)

// TestRoles asks every route in every role of a workspace and of the instance, under the preset
// that promises them; how people get in is TestSignIn's.
func TestRoles(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "W-14", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) {
				m := newMatrix(t, stores, "workspace")
				asked := map[string]bool{}
				m.all(func(c *caller) bool {
					asked[string(c.member)+string(c.role)] = true
					return (c.member != "" || c.role != "") && (stores != musatest.Scaled || slices.Contains(scaled, c.name))
				})
				for _, role := range []string{"owner", "admin", "editor", "viewer", "operator", "support", "moderator", "compliance"} {
					if !asked[role] {
						t.Errorf("nobody is %s", role)
					}
				}
			})
		}
	})
}

// all puts those callers before every route whom a test wants there.
func (m *matrix) all(wanted func(*caller) bool) {
	for _, c := range m.callers() {
		if !wanted(c) {
			continue
		}
		c.now = c.make()
		for _, r := range m.routes {
			m.ask(c, r)
		}
		m.reach(c)
	}
}
