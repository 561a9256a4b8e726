package conformance_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
)

// without is the studio preset as a later version that lacks one purpose.
func without(t *testing.T, purpose string) *policy.Document {
	t.Helper()
	doc, err := policies.Load("studio", nil)
	if err != nil {
		t.Fatal(err)
	}
	was := string(doc.YAML())
	text := regexp.MustCompile(`(?m)^  `+purpose+`: +\{basis:.*\n`).ReplaceAllString(was, "")
	if text == was {
		t.Fatalf("the preset has no line of purposes.%s", purpose)
	}
	text = strings.Replace(text, "version: "+doc.Version, "version: "+doc.Version+"9", 1)
	out, err := policies.Parse("./without.yaml", func(string) ([]byte, error) { return []byte(text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPurposes: without its line in the document a feature is refused by the purpose's name,
// and the others go on.
func TestPurposes(t *testing.T) {
	t.Parallel()
	conformance.Part(t, "P-08", "without the line of a purpose its feature refuses by name and the rest works", func(t *testing.T) {
		features := map[string]func(h *household) musatest.Answer{
			"generate": func(h *household) musatest.Answer { return h.guest.Post("cat.png", h.picture) },
			"deliver":  func(h *household) musatest.Answer { return h.guest.Content(h.asset) },
			"answer_rights": func(h *household) musatest.Answer {
				return h.guest.Do(http.MethodDelete, "/api/assets/"+h.spare(), nil)
			},
			"hold": func(h *household) musatest.Answer {
				return h.officer.Do(http.MethodPost, "/api/admin/holds", map[string]string{"asset": h.asset, "reason": "a warrant"})
			},
			"sign_in": func(h *household) musatest.Answer {
				return (&musatest.Client{T: h.guest.T, Base: h.guest.Base}).Do(http.MethodPost, "/api/guests", nil)
			},
		}
		for lacking := range features {
			t.Run(lacking, func(t *testing.T) {
				t.Parallel()
				h := furnished(t)
				if err := h.studio.House.Publish(t.Context(), without(t, lacking)); err != nil {
					t.Fatal(err)
				}
				for name, feature := range features {
					got := feature(h)
					if name != lacking {
						if got.Status >= http.StatusBadRequest {
							t.Errorf("without %s, %s is refused, too: %d %s", lacking, name, got.Status, got.Body)
						}
						continue
					}
					if p := h.guest.In(t).Problem(http.StatusForbidden, got); !strings.Contains(p.Detail, "purposes."+lacking) {
						t.Errorf("the refusal does not name it: %s", p.Detail)
					}
				}
			})
		}
	})
}

// household is a studio with a guest, some pictures and somebody for compliance.
type household struct {
	studio         *musatest.Studio
	guest, officer *musatest.Client
	picture        []byte
	asset          string
	spares         []string
}

func furnished(t *testing.T) *household {
	t.Helper()
	h := &household{studio: musatest.New(t, musatest.Rig{}), picture: photos.Read(t, "chelsea.png")}
	staff, err := h.studio.Accounts.AddStaff(t.Context(), musa.RoleCompliance)
	if err != nil {
		t.Fatal(err)
	}
	h.guest, h.officer = h.studio.Guest(), &musatest.Client{T: t, Base: h.studio.URL, Token: staff.Token}
	up := func() api.Asset { return h.guest.Upload("cat.png", h.picture, "save", "true") }
	h.asset = up().ID
	for range 2 {
		h.spares = append(h.spares, up().ID)
	}
	return h
}

// spare is a picture that nothing else asks for.
func (h *household) spare() string {
	id := h.spares[0]
	h.spares = h.spares[1:]
	return id
}
