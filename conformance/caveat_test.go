package conformance_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
)

// TestCaveat: beside its claims of security the page says that none is perfect, and a claim
// that its self-test refutes is not there.
func TestCaveat(t *testing.T) {
	t.Parallel()
	conformance.Kept(t, "E-34", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) { claimsStand(t, stores) })
		}
	})
}

// refutations make the self-test of one claim fail, behind the product's back; one in words is
// the clock that runs on while nobody copies.
var refutations = map[string]string{
	"encrypted_at_rest":  "UPDATE secrets SET sealed = CAST('{}' AS %BYTES)",
	"per_subject_keys":   "UPDATE secrets SET subject = (SELECT MIN(subject) FROM subject_keys WHERE length(wrapped) > 0)",
	"argon2id_passwords": "INSERT INTO logins (id, subject, kind, handle, created, used) VALUES ('lo_none', (SELECT MIN(subject) FROM subject_keys WHERE length(wrapped) > 0), 'password', CAST('' AS %BYTES), 1, 0)",
	"audit_log":          "DELETE FROM audit_events WHERE seq = (SELECT MAX(seq) FROM audit_events)",
	"roles":              "INSERT INTO roles (subject, role, since) VALUES ('su_nobody', 'operator', 1)",
	"backups":            "",
}

func claimsStand(t *testing.T, stores musatest.Stores) {
	for claim, fault := range refutations {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			text, index := claiming(t, claim)
			s, _ := withBackup(t, stores, text)
			for range 2 {
				g := s.Guest()
				g.Made(g.Upload("cat.png", photos.Read(t, "chelsea.png")).ID, nil)
			}
			s.Step()
			backedUp(t, s)
			s.Claims.Test(t.Context())
			g, path := s.Guest(), fmt.Sprintf(">security.claims[%d]<", index)
			wantClaims(t, g, path, true)
			if fault == "" {
				s.Clock.Turn(3 * day)
				g = s.Guest()
			} else {
				plant(t, s, strings.ReplaceAll(fault, "%BYTES", map[musatest.Stores]string{musatest.Embedded: "BLOB", musatest.Scaled: "bytea"}[stores]))
			}
			s.Claims.Test(t.Context())
			wantClaims(t, g, path, false)
		})
	}
	t.Run("no page says the opposite", func(t *testing.T) {
		s := musatest.New(t, musatest.Rig{Policy: "enhancer", Stores: stores})
		g := s.Guest()
		a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
		boast := regexp.MustCompile(`(?i)(100|hundred) ?(%|per ?cent) (secure|safe)|(completely|perfectly|absolutely|totally|fully|always|guaranteed) (secure|safe|protected)|unhackable|unbreakable|impenetrable|` +
			`guarantee[sd]? (the |your )?(security|safety)|bank-grade|military|(vollkommen|völlig|absolut|hundertprozentig|garantiert) (sicher|geschützt)|unknackbar`)
		caveats := strings.NewReplacer("No transmission and no storage is perfectly secure, this one neither.", "",
			"Keine Übertragung und keine Speicherung ist vollkommen sicher, auch diese nicht.", "")
		for _, page := range []string{"/", "/me", "/admin", "/privacy", "/privacy/versions", "/privacy/changes", "/privacy/record", "/privacy/agreement", "/privacy/record.md",
			"/privacy/versions/" + s.InForce().Ref(), "/api/policy", "/api/policy/schema.json", "/openapi.json", "/nowhere", "/assets/" + a.ID} {
			for _, language := range []string{"", "?lang=de"} {
				said := caveats.Replace(string(g.Do(http.MethodGet, page+language, nil).Body))
				if found := boast.FindString(said); found != "" {
					t.Errorf("%s says %q", page+language, found)
				}
			}
		}
	})
}

// claiming is the enhancer preset, with a claim that it may make and does not, and the claim's
// place in it.
func claiming(t *testing.T, claim string) (text string, index int) {
	t.Helper()
	doc, err := policies.Load("enhancer", nil)
	if err != nil {
		t.Fatal(err)
	}
	text = string(doc.YAML())
	if !doc.Security.Claims.Has(claim) {
		text = strings.Replace(text, "claims: ["+strings.Join(doc.Security.Claims, ", ")+"]", "claims: ["+strings.Join(append(doc.Security.Claims, claim), ", ")+"]", 1)
		return text, len(doc.Security.Claims)
	}
	for i, c := range doc.Security.Claims {
		if c == claim {
			index = i
		}
	}
	return text, index
}

// wantClaims looks at the section of the page that claims security: the caveat stands there
// whatever of the claims does.
func wantClaims(t *testing.T, g *musatest.Client, path string, shown bool) {
	t.Helper()
	page := text(t, g, "/privacy")
	if strings.Contains(page, path) != shown {
		t.Errorf("the page has %s: %v, want %v", path, !shown, shown)
	}
	told := sentence(fetched[api.Policy](t, g, "/api/policy").Sections, strings.Trim(path, "><"))
	if (told != "") != shown {
		t.Errorf("the API tells %q, and the claim is to be told: %v", told, shown)
	}
	for _, section := range strings.Split(page, "<section")[1:] {
		caveat := strings.Contains(section, "No transmission and no storage is perfectly secure")
		if strings.Contains(section, path) && !caveat {
			t.Error("the claim stands apart from the caveat")
		}
		if caveat {
			return
		}
	}
	t.Error("the page does not say that none is perfect")
}

// plant changes the database behind the product's back.
func plant(t *testing.T, s *musatest.Studio, statement string) {
	t.Helper()
	own := s.OwnSQL()
	defer own.Close()
	if _, err := own.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
