package account_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"musa/account"
	"musa/musatest"
	"musa/musatest/rigs"
)

// GitHub is asked in its own way: a code for a token, the token for an id and a verified address.
// Nothing else that it tells is kept.
func TestGitHub(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			h, client := rigs.GitHubServer(t)
			set, err := account.NewProvider(account.Provider{Name: "github", ID: "hub id", Secret: rigs.GitHubSecret, Client: client})
			if err != nil {
				t.Fatal(err)
			}
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "open-door", Providers: []account.Provider{set}})
			enter := func(b *musatest.Browser) string {
				return b.Opens(musatest.Visit(t, client, b.Opens("/api/session/provider/github")))
			}
			b := musatest.Browse(t, s, s.Guest())
			at, err := url.Parse(enter(b))
			if err != nil {
				t.Fatal(err)
			}
			q, err := url.ParseQuery(at.Fragment)
			if err != nil || q.Get("join") == "" {
				t.Fatalf("GitHub's callback leads to %s", at)
			}
			body := musatest.Grown()
			body["secret"] = q.Get("join")
			c := b.Client()
			c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/session/provider/github/join", body), nil)
			c.Problem(http.StatusUnauthorized, c.Do(http.MethodGet, "/api/me", nil)) // the guest's session is over

			n := musatest.Browse(t, s, nil)
			if to := enter(n); to != "/" {
				t.Errorf("the second sign-in leads to %s", to)
			}
			marks := musatest.Markers{}
			for _, word := range rigs.GitHubPlanted() {
				marks[word] = []byte(word)
			}
			if found := musatest.Find(t, s.Dirs, marks); len(found) > 0 {
				t.Errorf("in clear: %v", found)
			}
			var profile map[string]any
			person := n.Client()
			person.Want(http.StatusOK, person.Do(http.MethodGet, "/api/me/profile", nil), &profile)
			raw, err := json.Marshal(profile)
			if err != nil {
				t.Fatal(err)
			}
			if profile["email"] != "octo@octo.example" || strings.Contains(strings.ToLower(string(raw)), "planted") {
				t.Errorf("the profile holds %s", raw)
			}

			m := musatest.Browse(t, s, nil)
			back := musatest.Visit(t, client, m.Opens("/api/session/provider/github"))
			h.Forget() // somebody used the code
			if to := m.Opens(back); to != "/signin?problem=provider_distrusted" || m.Cookie("musa_session") != "" {
				t.Errorf("a used code leads to %s", to)
			}
		})
	}
}
