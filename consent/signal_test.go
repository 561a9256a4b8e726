package consent_test

import (
	"slices"
	"strings"
	"testing"

	"musa"
	"musa/consent"
	"musa/musatest"
	"musa/policies"
)

// A consent that is only ever given for one picture is refused by the browser's signal in the request
// that bears it, and nothing is entered for everything: that would be no answer to what was asked.
func TestASignalLeavesAlonePicturesWhatIsSaidForEach(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("conversational", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc.YAML())
	const was = "mode: opt_in, scope: [subject, asset], expires: 24mo"
	if !strings.Contains(text, was) {
		t.Fatalf("the preset no longer says %q", was)
	}
	text = strings.Replace(text, was, "mode: {default: opt_out, gdpr: opt_in}, scope: asset, gpc: refuse", 1)
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: text})
			by := musa.Actor{Subject: s.Guest().Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
			heard, err := s.Consents.Hear(t.Context(), by)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(heard.Standing.Objections, musa.PurposeTrain) {
				t.Errorf("under the signal it stands %+v", heard.Standing)
			}
			list, err := s.Consents.History(t.Context(), by, "", 100)
			for _, w := range list {
				if err != nil || w.Via == consent.ViaSignal {
					t.Errorf("entered: %+v, %v", w, err)
				}
			}
		})
	}
}
