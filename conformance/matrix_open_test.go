package conformance_test

import (
	"net/http"
	"slices"
	"strings"

	"musa"
)

// opened are the routes that anybody may use, once more by hand: a rule that falls open by
// mistake would be obeyed by the rest of the matrix. Of those that are so for visitors alone, what
// it is to somebody with a session stands behind.
var opened = []string{
	"DELETE /api/session",
	"GET /api/acceptance",
	"GET /api/accounts",
	"GET /api/consents",
	"GET /api/contact",
	"GET /api/export/schema.json",
	"GET /api/lists/stop/{secret}",
	"GET /api/news by others to self",
	"GET /api/openapi-3.0.json",
	"GET /api/openapi-3.0.yaml",
	"GET /api/openapi.json",
	"GET /api/openapi.yaml",
	"GET /api/policy",
	"GET /api/policy/diff",
	"GET /api/policy/schema.json",
	"GET /api/policy/versions",
	"GET /api/policy/versions/{policy}/{version}",
	"GET /api/receipts/{id}",
	"GET /api/session/provider/{name}",
	"GET /api/session/provider/{name}/callback",
	"GET /api/session/providers",
	"POST /api/accounts",
	"POST /api/accounts/confirm",
	"POST /api/accounts/reset",
	"POST /api/accounts/reset/confirm",
	"POST /api/guests",
	"POST /api/lists/confirm",
	"POST /api/lists/stop/{secret}",
	"POST /api/session/factor",
	"POST /api/session/passkey/begin",
	"POST /api/session/passkey/finish",
	"POST /api/session/password",
	"POST /api/support by others to ask",
	"POST /api/support/open",
	"PUT /api/consents by others to self",
}

// declared holds the rules against what no rule may say.
func (m *matrix) declared() {
	var found []string
	for _, r := range m.routes {
		name := r.Method + " " + r.Path
		staff := strings.HasPrefix(r.Path, "/api/admin/")
		switch {
		case staff != (r.Rule.Staff != nil):
			m.t.Errorf("%s: the staff's routes, and they alone, lie below /api/admin/", name)
		case !staff && r.Rule.Act == "":
			found = append(found, name)
		case r.Rule.Strangers:
			found = append(found, name+" by others to "+string(r.Rule.Act))
		case r.Rule.Act == musa.ActSee && r.Method != http.MethodGet && name != "DELETE "+members:
			m.t.Errorf("%s changes something, and to see is enough for it", name)
		}
	}
	for _, name := range found {
		if !slices.Contains(opened, name) {
			m.t.Errorf("%s is open to anybody", name)
		}
	}
	for _, name := range opened {
		if !slices.Contains(found, name) {
			m.t.Errorf("%s is not open any more", name)
		}
	}
}
