package conformance_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/api"
	"musa/conformance"
	"musa/db"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/musatest/photos"
)

// TestAccountsByMail: what an account by e-mail asks, keeps, shows and lets its person change.
func TestAccountsByMail(t *testing.T) {
	t.Parallel()
	both := func(id, preset string, f func(t *testing.T, s *musatest.Studio)) {
		conformance.Kept(t, id, func(t *testing.T) {
			for _, stores := range musatest.BothStores() {
				t.Run(string(stores), func(t *testing.T) {
					f(t, musatest.New(t, musatest.Rig{Stores: stores, Policy: preset, Passwords: account.Stated}))
				})
			}
		})
	}
	both("E-01", "enhancer", accountFields)
	both("P-03", "professional", accountFields)
	both("E-05", "enhancer", devicesEnd)
	both("C-02", "conversational", credentialsKept)
	both("C-26", "conversational", changesAudited)
	both("E-25", "enhancer", accountIsTheirs)
	conformance.Part(t, "O-05", "a guest makes pictures of pictures in each way that there is, within a guest's credits, and all moves into the account that the guest then makes", func(t *testing.T) {
		for _, stores := range musatest.BothStores() {
			t.Run(string(stores), func(t *testing.T) { guestFirst(t, stores) })
		}
	})
}

// fieldsOf is the account record of somebody, opened with the instance's keys.
func fieldsOf(t *testing.T, s *musatest.Studio, id musa.SubjectID) (fields map[string]string) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		list, err := tx.OpeningsOf(ctx, id, musa.CategoryAccount, "", 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("%d account records (%v), want 1", len(list), err)
		}
		r := list[0]
		own, err := s.Keys.OpenSubject(id, r.SubjectKey)
		if err != nil {
			return err
		}
		key, err := own.Unwrap(string(r.ID), r.Secret.Wrapped)
		if err != nil {
			return err
		}
		plain, err := key.OpenRecord(string(r.ID), r.Secret.Sealed)
		if err != nil {
			return err
		}
		return json.Unmarshal(plain, &fields)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func accountFields(t *testing.T, s *musatest.Studio) {
	line, _ := s.InForce().Categories.Get("account")
	c := &musatest.Client{T: t, Base: s.URL}
	var asked api.Fields
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/accounts", nil), &asked)
	if !slices.Equal(asked.Required, line.Fields.Required) || !slices.Equal(asked.Optional, line.Fields.Optional) {
		t.Errorf("asked for %v and %v, the policy lists %v and %v", asked.Required, asked.Optional, line.Fields.Required, line.Fields.Optional)
	}
	if !slices.Equal(asked.Required, []string{"email"}) {
		t.Errorf("%v are required; only the address is needed to sign in by it", asked.Required)
	}
	given := map[string]string{"email": "ada@example.net", "name": "Ada Example", "username": "ada", "profile": "Paints at night.", "language": "de"}
	form := musatest.Order{"password": musatest.Password, "country": "DE", "born": "1990-05-31"}
	for _, f := range slices.Concat(asked.Required, asked.Optional) {
		form[f] = given[f]
	}
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts", form), nil)
	var in api.Entry
	c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/accounts/confirm", musatest.Order{"secret": s.Secret("ada@example.net"), "password": musatest.Password}), &in)
	c.Token = in.Token
	shown := func() (p map[string]string) {
		t.Helper()
		c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/profile", nil), &p)
		return p
	}
	if got := shown(); !maps.Equal(got, given) {
		t.Errorf("the profile shows %v, want %v", got, given)
	}
	for _, f := range asked.Optional {
		if given[f] += "2"; f == "language" {
			given[f] = "en"
		}
		c.Want(http.StatusOK, c.Do(http.MethodPatch, "/api/me/profile", musatest.Order{f: given[f]}), nil)
	}
	if got := shown(); !maps.Equal(got, given) {
		t.Errorf("changed, the profile shows %v, want %v", got, given)
	}
	if got := fieldsOf(t, s, c.Subject()); !maps.Equal(got, given) {
		t.Errorf("the opened record holds %v, want %v", got, given)
	}
	formsAsk(t, s, c)
	plain := s.Member() // gives the address alone
	if got := fieldsOf(t, s, plain.Subject()); !maps.Equal(got, map[string]string{"email": plain.Email}) {
		t.Errorf("of somebody who gave an address only, %v is kept", got)
	}
}

// signedIn signs in from a browser.
func signedIn(t *testing.T, s *musatest.Studio, email, agent string) *musatest.Client {
	t.Helper()
	c := &musatest.Client{T: t, Base: s.URL, Agent: agent, Email: email}
	var in api.Entry
	c.Want(http.StatusOK, c.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": email, "password": musatest.Password}), &in)
	c.Token = in.Token
	return c
}

func devicesOf(c *musatest.Client) []api.Device {
	c.T.Helper()
	var list api.Devices
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/sessions", nil), &list)
	return list.Sessions
}

const phone = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"

func devicesEnd(t *testing.T, s *musatest.Studio) {
	m := s.Member()
	c := signedIn(t, s, m.Email, phone)
	list := devicesOf(c)
	d := list[slices.IndexFunc(list, func(d api.Device) bool { return d.Current })]
	if d.OS != "Android" || d.Browser != "Chrome" || d.Kind != "phone" || d.Connection != "HTTP/1.1" || d.Address != "127.0.0.0/24" || d.LastSeen == nil {
		t.Errorf("the session list shows %+v", d)
	}
	var record string
	if err := s.DB.SQL().QueryRow("SELECT device FROM sessions WHERE id = '" + d.ID + "'").Scan(&record); err != nil {
		t.Fatal(err)
	}
	sc := scanner(t, s, record)
	if len(scan(t, sc, s)) == 0 {
		t.Fatalf("the scan does not find what is there")
	}
	var ends int64
	if err := s.DB.SQL().QueryRow("SELECT ends FROM records WHERE id = '" + record + "'").Scan(&ends); err != nil {
		t.Fatal(err)
	}
	end := time.UnixMilli(ends)
	for end.Sub(s.Clock.Now()) > 20*day {
		s.Clock.Turn(20 * day)
		devicesOf(c) // its use keeps the session
	}
	turnTo(t, s, end.Add(-time.Second))
	if d := devicesOf(c)[0]; d.Address == "" {
		t.Errorf("a second before its end the device is forgotten: %+v", d)
	}
	s.Clock.Turn(time.Second)
	s.Step()
	wantClean(t, s, sc)
}

// accountIsTheirs: seen, corrected and deleted by its person, on pages and in the API, where nobody
// works for the instance.
func accountIsTheirs(t *testing.T, s *musatest.Studio) {
	m := s.Member()
	formsAsk(t, s, m)
	pagesDelete(t, s, m)
	if n := rows(t, s, "roles"); n != 0 {
		t.Fatalf("%d people work for the instance", n)
	}
	var p api.Person
	m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/profile", nil), &p)
	if p.Email != m.Email {
		t.Errorf("the account shows %+v", p)
	}
	m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"name": "Grace"}), &p)
	if p.Name != "Grace" {
		t.Errorf("corrected, it shows %+v", p)
	}
	m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"name": ""}), &p)
	if got := fieldsOf(t, s, m.Subject()); got["name"] != "" {
		t.Errorf("deleted, the name is kept as %q", got["name"])
	}
	shut(m)
	end := closing(t, m)
	turnTo(t, s, end)
	m.Problem(http.StatusUnauthorized, m.Do(http.MethodPost, "/api/session/password", musatest.Order{"email": m.Email, "password": musatest.Password}))
	if n := rows(t, s, "addresses") + rows(t, s, "logins"); n != 0 {
		t.Errorf("%d rows let somebody in after the account was deleted", n)
	}
}

// closing is when nothing of a closed account is left to take back.
func closing(t *testing.T, m *musatest.Client) time.Time {
	t.Helper()
	var c api.Closing
	m.Want(http.StatusOK, m.Do(http.MethodGet, "/api/me/erasure", nil), &c)
	return *c.Undo
}

func credentialsKept(t *testing.T, s *musatest.Studio) {
	m := s.Member()
	c := signedIn(t, s, m.Email, phone)
	if found := musatest.Find(t, s.Dirs, musatest.Markers{"password": []byte(musatest.Password), "token": []byte(strings.TrimPrefix(c.Token, "musa_"))}); len(found) > 0 {
		t.Errorf("in clear on disk: %v", found)
	}
	if _, err := s.Accounts.AttestPasswords(t.Context(), "", 10); err != nil {
		t.Errorf("a kept password is no memory-hard hash: %v", err)
	}
	list := devicesOf(c)
	if len(list) != 2 {
		t.Fatalf("%d sessions are listed, want 2", len(list))
	}
	for _, d := range list {
		if !d.Current {
			c.Want(http.StatusNoContent, c.Do(http.MethodDelete, "/api/me/sessions/"+d.ID, nil), nil)
		}
	}
	m.Problem(http.StatusUnauthorized, m.Do(http.MethodGet, "/api/me", nil))
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me", nil), nil)
}

func changesAudited(t *testing.T, s *musatest.Studio) {
	m := s.Member()
	audited := func(action string) int {
		return rows(t, s, "audit_events WHERE action = '"+action+"' AND subject = '"+string(m.Subject())+"'")
	}
	m.Want(http.StatusOK, m.Do(http.MethodPatch, "/api/me/profile", musatest.Order{"name": "Grace", "username": "grace", "profile": "Sails."}), nil)
	m.Want(http.StatusAccepted, m.Do(http.MethodPost, "/api/me/address", musatest.Order{"email": "grace@example.net"}), nil)
	m.Want(http.StatusNoContent, m.Do(http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": s.Secret("grace@example.net")}), nil)
	m.Want(http.StatusNoContent, m.Do(http.MethodPut, "/api/me/password", musatest.Order{"password": "seven green tortoises"}), nil)
	if got, want := fieldsOf(t, s, m.Subject()), (map[string]string{"email": "grace@example.net", "name": "Grace", "username": "grace", "profile": "Sails."}); !maps.Equal(got, want) {
		t.Errorf("the account is %v, want %v", got, want)
	}
	for _, action := range []string{"profile_changed", "address_changed", "sign_in_password_changed"} {
		if n := audited(action); n != 1 {
			t.Errorf("%s stands %d times in the audit log, want once", action, n)
		}
	}
}

func guestFirst(t *testing.T, stores musatest.Stores) {
	const credits = 6
	s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "open-door", Credit: credits})
	g := s.Guest()
	up := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
	kinds := new(enginetest.Null).Kinds()
	var made api.Asset
	for _, kind := range kinds {
		made = g.Made(up.ID, musatest.Order{"kind": kind, "prompt": "larger"})
	}
	// A guest's limits: an allowance that ends, with a word of it, and nothing beyond is made.
	if me := fetched[api.Me](t, g, "/api/me"); me.Tier != "guest" || me.Credits != credits-int64(len(kinds)) {
		t.Errorf("after %d pictures a guest is %+v", len(kinds), me)
	}
	spent := s.Guest()
	seen := spent.Upload("cat.png", photos.Read(t, "chelsea.png"))
	for range credits {
		spent.Made(seen.ID, nil)
		seen = spent.Upload("cat.png", photos.Read(t, "chelsea.png"))
	}
	if p := spent.Problem(http.StatusPaymentRequired, spent.Do(http.MethodPost, "/api/jobs", musatest.Order{"kind": "enhance", "inputs": []string{seen.ID}})); p.Detail == "" {
		t.Errorf("a guest without credits hears %+v", p)
	}
	s.SignUp(g, "cat@example.net")
	var in api.Entry
	g.Want(http.StatusOK, g.Do(http.MethodPost, "/api/accounts/confirm", musatest.Order{"secret": s.Secret("cat@example.net")}), &in)
	g.Token = in.Token
	if a := g.Asset(made.ID); a.State != string(musa.AssetActive) {
		t.Errorf("the guest's picture is %s in the account", a.State)
	}
	g.Want(http.StatusOK, g.Content(made.ID), nil)
	var list struct{ Assets []api.Asset }
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/assets", nil), &list)
	if len(list.Assets) < len(kinds)+1 {
		t.Errorf("%d pictures came along, want %d results and the upload", len(list.Assets), len(kinds))
	}
}
