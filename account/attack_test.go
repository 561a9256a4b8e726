package account_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/account"
	"musa/api"
	"musa/db"
	"musa/musatest"
)

// form is a sign-up that is taken, with some fields changed.
func form(change musatest.Order) musatest.Order {
	o := musatest.Order{"email": "somebody@example.net", "password": musatest.Password, "country": "DE", "born": "1990-05-31"}
	for k, v := range change {
		o[k] = v
	}
	return o
}

// What nobody may type is refused with the field's name, without a word of it in the answer, and
// leaves nothing.
func TestWhatAnAccountDoesNotTake(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	for name, c := range map[string]struct {
		field string
		value any
	}{
		"a header in a name":        {"name", "Eve\r\nBcc: everybody@example.net"},
		"a turned name":             {"name", "Eve \u202egnp.exe"},
		"a user name of two lines":  {"username", "eve\nadmin"},
		"a user name with a slash":  {"username", "../../etc"},
		"a long name":               {"name", strings.Repeat("n", 101)},
		"an address of two":         {"email", "a@example.net, b@example.net"},
		"a header in an address":    {"email", "a@example.net\r\nBcc: b@example.net"},
		"a quoted address":          {"email", `"a b"@example.net`},
		"a foreign letter":          {"email", "\u0430dmin@example.net"}, // a Cyrillic a
		"no domain":                 {"email", "a@localhost"},
		"a stolen password":         {"password", "Iloveyou123"},
		"a short password":          {"password", "a7$kP"},
		"the address as a password": {"password", "somebody@example.net"},
		"no country":                {"country", "XX"},
		"no day":                    {"born", "1990-02-30"},
	} {
		t.Run(name, func(t *testing.T) {
			c2 := musatest.Client{T: t, Base: s.URL, From: "127.0.0.3"}
			a := c2.Do(http.MethodPost, "/api/accounts", form(musatest.Order{c.field: c.value}))
			p := c2.Problem(http.StatusBadRequest, a)
			if p.Field != c.field {
				t.Errorf("the field is %q, want %q: %s", p.Field, c.field, a.Body)
			}
			if v := c.value.(string); len(v) > 3 && strings.Contains(string(a.Body), v) {
				t.Errorf("the answer repeats what was typed: %s", a.Body)
			}
		})
	}
	t.Run("ten megabytes", func(t *testing.T) {
		c := musatest.Client{T: t, Base: s.URL}
		if a := c.Do(http.MethodPost, "/api/accounts", form(musatest.Order{"name": strings.Repeat("n", 10<<20)})); a.Status != http.StatusRequestEntityTooLarge && a.Status != http.StatusBadRequest {
			t.Errorf("status %d", a.Status)
		}
	})
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		" Ada@Example.NET ":                        "ada@example.net",
		"\uff41da@example.net":                     "ada@example.net", // a wide a: the same, and mail goes to the plain form
		"ada@b\u00fccher.example":                  "ada@xn--bcher-kva.example",
		"ada@ex\u0430mple.net":                     "ada@xn--exmple-4nf.net", // a Cyrillic a: another domain
		"ada+news@example.net":                     "ada+news@example.net",
		"ada@example.net.":                         "",
		"@example.net":                             "",
		"ada":                                      "",
		"ada@" + strings.Repeat("a", 250) + ".net": "",
	} {
		if got, err := account.Address(typed); got != want || (err != nil) != (want == "") {
			t.Errorf("%q is %q (%v), want %q", typed, got, err, want)
		}
	}
}

// An address that looks like another's is another account's, and gets nothing of the first.
func TestALookAlikeAddressIsAnother(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		m := s.Member()
		twin := strings.Replace(m.Email, "example", "ex\u0430mple", 1)
		c := s.Guest()
		s.SignUp(c, twin)
		plain, err := account.Address(twin)
		if err != nil || plain == m.Email {
			t.Fatalf("the look-alike is %q (%v)", plain, err)
		}
		var in api.Entry
		c.Want(http.StatusOK, confirm(c, s.Secret(plain)), &in)
		if in.Subject == string(m.Subject()) {
			t.Errorf("the look-alike leads to the other's account")
		}
		// Typed wide, a reset goes to the plain address, never to what was typed.
		wide := strings.Replace(m.Email, "m", "\uff4d", 1)
		c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/accounts/reset", musatest.Order{"email": wide}), nil)
		s.Secret(m.Email)
		if n := len(s.Mails.To(wide)); n != 0 {
			t.Errorf("%d mails went to the form that was typed", n)
		}
	})
}

// A day too young is refused, in words that name no age; another day does not help the same
// visitor before a day has passed, and nothing typed is left.
func TestTheAgeScreen(t *testing.T) {
	on(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		day := func(years, days int) string {
			return s.Clock.Now().UTC().AddDate(-years, 0, -days).Format(time.DateOnly)
		}
		ask := func(c *musatest.Client, country, born string) musatest.Answer {
			return c.Do(http.MethodPost, "/api/accounts", form(musatest.Order{"email": "teen@example.net", "country": country, "born": born}))
		}
		from := func(addr string) *musatest.Client {
			return &musatest.Client{T: t, Base: s.URL, From: addr, Agent: firefox}
		}
		for i, c := range []struct {
			country string
			years   int
		}{{"DE", 16}, {"US", 13}, {"US-CA", 13}, {"GB", 13}} {
			old, young := from("127.0.1."+string(rune('1'+i))), from("127.0.2."+string(rune('1'+i)))
			old.Want(http.StatusAccepted, ask(old, c.country, day(c.years, 0)), nil)
			p := young.Problem(http.StatusForbidden, ask(young, c.country, day(c.years, -1)))
			if strings.ContainsAny(p.Detail, "0123456789") || strings.Contains(p.Detail, "age") || strings.Contains(p.Detail, "young") {
				t.Errorf("%s: the refusal says why: %s", c.country, p.Detail)
			}
		}
		child := from("127.0.3.1")
		child.Problem(http.StatusForbidden, ask(child, "DE", "2020-03-17"))
		child.Problem(http.StatusForbidden, ask(child, "DE", "1980-03-17"))
		s.Clock.Turn(24*time.Hour - time.Millisecond)
		child.Problem(http.StatusForbidden, ask(child, "DE", "1980-03-17"))
		s.Clock.Turn(24 * time.Hour)
		child.Want(http.StatusAccepted, ask(child, "DE", "1980-03-17"), nil)

		// The same browser's session, from another network, is the same visitor.
		g := s.Guest()
		g.Problem(http.StatusForbidden, ask(g, "DE", "2019-06-23"))
		moved := *g
		moved.From = "127.0.4.1"
		moved.Problem(http.StatusForbidden, ask(&moved, "DE", "1980-03-17"))
		s.Step()
		if found := musatest.Find(t, s.Dirs, musatest.Markers{"a date of birth": []byte("2020-03-17"), "another": []byte("2019-06-23"), "the address": []byte("teen@example.net")}); len(found) > 0 {
			t.Errorf("what was typed is left: %v", found)
		}
	})
}

// An account is found by its address after the instance's keys were rotated.
func TestAnAddressSurvivesAKeyRotation(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	m := s.Member()
	if err := s.Keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	m.Want(http.StatusOK, signIn(stranger(s), m.Email, musatest.Password), nil)
	err := s.DB.Read(context.Background(), func(ctx context.Context, tx db.Tx) error {
		a, err := tx.AddressOf(ctx, m.Subject())
		if err == nil && (a.Keys != int64(a.Digest[0]) || a.Keys == 0) {
			t.Errorf("the digest's key version is %d, its first byte %d", a.Keys, a.Digest[0])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where no mail can go out nobody signs up by e-mail, and hears it in words.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Silent: true})
	c := stranger(s)
	for _, path := range []string{"/api/accounts", "/api/accounts/reset"} {
		body := form(nil)
		if path != "/api/accounts" {
			body = musatest.Order{"email": "a@example.net"}
		}
		if p := c.Problem(http.StatusServiceUnavailable, c.Do(http.MethodPost, path, body)); p.Code != "mail_unavailable" {
			t.Errorf("%s: refused as %s", path, p.Code)
		}
	}
}

// A server that hashes for less than is stated fails the claim, also while no password is kept.
func TestCheapHashesBelieTheClaim(t *testing.T) {
	t.Parallel()
	for cost, want := range map[account.Cost]bool{account.Stated: true, {Memory: account.Stated.Memory, Time: 1}: false, {Memory: 8, Time: account.Stated.Time}: false} {
		s := musatest.New(t, musatest.Rig{Passwords: cost})
		_, err := s.Accounts.AttestPasswords(t.Context(), "", 1)
		if (err == nil) != want {
			t.Errorf("at a cost of %+v: %v", cost, err)
		}
	}
}

// For an address with an account and for one without, the same passwords are hashed and as many
// rows are written: sign-in takes as long.
func TestTheWorkDoneTellsNothing(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Passwords: account.Stated})
	m := s.Member()
	c := stranger(s)
	took := func(email string) time.Duration {
		began := time.Now()
		a := signIn(c, email, "not the password")
		lasted := time.Since(began)
		c.Problem(http.StatusUnauthorized, a) // of a refused try nothing is hashed
		return lasted
	}
	// The shortest of many by turns: whatever else the machine does, it does to both.
	known, unknown := time.Hour, time.Hour
	for range 10 {
		known, unknown = min(known, took(m.Email)), min(unknown, took("nobody@example.net"))
	}
	if known > 3*unknown || unknown > 3*known {
		t.Errorf("a wrong password takes %v with an account and %v without", known, unknown)
	}
}
