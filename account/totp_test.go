package account_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"musa/api"
	"musa/musatest"
)

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// An authenticator app is switched on by its first code. From then on a sign-in with a provider
// ends with a code, which works once, or a recovery code, which works once; guesses are counted.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	federated(t, func(t *testing.T, s *musatest.Studio, p *idp) {
		who := jane()
		b := musatest.Browse(t, s, s.Guest())
		joins(t, s, p, b, who)
		person := b.Client()
		var app api.TOTP
		person.Want(http.StatusOK, person.Do(http.MethodPost, "/api/me/totp", nil), &app)
		if l := waysOf(person); len(l.Logins) != 1 {
			t.Errorf("before its first code the app counts: %+v", l)
		}
		confirm := func(code string) musatest.Answer {
			return person.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": code})
		}
		person.Problem(http.StatusBadRequest, confirm(codeAt(t, app.Secret, s.Clock.Now().Add(-10*time.Minute))))
		var codes api.Codes
		person.Want(http.StatusOK, confirm(codeAt(t, app.Secret, s.Clock.Now())), &codes)
		if l := waysOf(person); len(codes.Codes) != 10 || l.Recovery != 10 || len(l.Logins) != 2 ||
			!slices.ContainsFunc(l.Logins, func(l api.Login) bool { return l.Kind == "totp" }) {
			t.Errorf("%d codes, ways in %+v", len(codes.Codes), l)
		}
		person.Problem(http.StatusConflict, person.Do(http.MethodPost, "/api/me/totp", nil))
		marks := musatest.Markers{"secret": []byte(app.Secret), "code": []byte(codes.Codes[0]), "code without hyphens": []byte(strings.ReplaceAll(codes.Codes[0], "-", ""))}
		if found := musatest.Find(t, s.Dirs, marks); len(found) > 0 {
			t.Errorf("in clear: %v", found)
		}

		nobody := &musatest.Client{T: t, Base: s.URL}
		half := func() string {
			t.Helper()
			n := musatest.Browse(t, s, nil)
			to := n.Opens(p.sends(t, n.Opens("/api/session/provider/company"), who))
			at, err := url.Parse(to)
			if err != nil || n.Cookie("musa_session") != "" || !strings.HasPrefix(at.Fragment, "factor=") {
				t.Fatalf("the first factor alone leads to %s", to)
			}
			return strings.TrimPrefix(at.Fragment, "factor=")
		}
		bring := func(factor, code string) musatest.Answer {
			return nobody.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": factor, "code": code})
		}
		nobody.Problem(http.StatusBadRequest, bring(half(), codeAt(t, app.Secret, s.Clock.Now()))) // its first code was used
		s.Clock.Turn(30 * time.Second)
		code := codeAt(t, app.Secret, s.Clock.Now())
		var e api.Entry
		nobody.Want(http.StatusOK, bring(half(), code), &e)
		if e.Token == "" || e.Subject != string(person.Subject()) {
			t.Errorf("both factors open %+v", e)
		}
		nobody.Problem(http.StatusBadRequest, bring(half(), code))
		nobody.Problem(http.StatusBadRequest, bring(half(), codeAt(t, app.Secret, s.Clock.Now().Add(-30*time.Second))))
		nobody.Want(http.StatusOK, bring(half(), codeAt(t, app.Secret, s.Clock.Now().Add(30*time.Second))), nil) // a clock that is fast
		nobody.Problem(http.StatusBadRequest, bring(half(), codeAt(t, app.Secret, s.Clock.Now().Add(60*time.Second))))

		factor := half()
		nobody.Want(http.StatusOK, bring(factor, strings.ToUpper(codes.Codes[0])), nil)
		nobody.Problem(http.StatusGone, bring(factor, codes.Codes[1]))
		nobody.Problem(http.StatusBadRequest, bring(half(), codes.Codes[0]))
		factor = half()
		for range 4 {
			nobody.Problem(http.StatusBadRequest, bring(factor, "000000"))
		}
		nobody.Problem(http.StatusBadRequest, bring(factor, "000000"))
		nobody.Problem(http.StatusGone, bring(factor, codes.Codes[1]))
		factor = half()
		s.Clock.Turn(10 * time.Minute)
		nobody.Problem(http.StatusGone, bring(factor, codes.Codes[1]))

		if q := person.Problem(http.StatusForbidden, person.Do(http.MethodDelete, "/api/me/totp", nil)); q.Code != "prove_first" {
			t.Errorf("switched off without a proof: %s", q.Code)
		}
		nobody.Want(http.StatusOK, bring(half(), codes.Codes[1]), &e)
		fresh := &musatest.Client{T: t, Base: s.URL, Token: e.Token}
		var next api.Codes
		fresh.Want(http.StatusOK, fresh.Do(http.MethodPost, "/api/me/totp/codes", nil), &next)
		nobody.Problem(http.StatusBadRequest, bring(half(), codes.Codes[2]))
		fresh.Want(http.StatusNoContent, fresh.Do(http.MethodDelete, "/api/me/totp", nil), nil)
		n := musatest.Browse(t, s, nil)
		if to := n.Opens(p.sends(t, n.Opens("/api/session/provider/company"), who)); to != "/" {
			t.Errorf("without a second factor the sign-in leads to %s", to)
		}
		fresh.Problem(http.StatusNotFound, fresh.Do(http.MethodDelete, "/api/me/totp", nil))
	})
}

// Of many who bring the same recovery code at once, each with a first factor of their own, one gets
// in; of two who remove the last two ways in at once, one is refused.
func TestFactorsAtOnce(t *testing.T) {
	t.Parallel()
	federated(t, func(t *testing.T, s *musatest.Studio, p *idp) {
		who := jane()
		b := musatest.Browse(t, s, s.Guest())
		joins(t, s, p, b, who)
		person := b.Client()
		var app api.TOTP
		var codes api.Codes
		person.Want(http.StatusOK, person.Do(http.MethodPost, "/api/me/totp", nil), &app)
		person.Want(http.StatusOK, person.Do(http.MethodPost, "/api/me/totp/confirm", musatest.Order{"code": codeAt(t, app.Secret, s.Clock.Now())}), &codes)
		var factors []string
		for range 4 {
			n := musatest.Browse(t, s, nil)
			_, factor, _ := strings.Cut(n.Opens(p.sends(t, n.Opens("/api/session/provider/company"), who)), "#factor=")
			factors = append(factors, factor)
		}
		got := atOnce(len(factors), func(i int) int {
			nobody := &musatest.Client{T: t, Base: s.URL}
			return nobody.Do(http.MethodPost, "/api/session/factor", musatest.Order{"factor": factors[i], "code": codes.Codes[0]}).Status
		})
		if got[http.StatusOK] != 1 || got[http.StatusBadRequest] != 3 {
			t.Errorf("one recovery code at four doors: %v", got)
		}

		key := s.Passkey()
		person.Want(http.StatusOK, key.Keep(person, nil), nil)
		var ways []string
		for _, l := range waysOf(person).Logins {
			if l.Kind != "totp" {
				ways = append(ways, l.ID)
			}
		}
		got = atOnce(len(ways), func(i int) int { return person.Do(http.MethodDelete, "/api/me/logins/"+ways[i], nil).Status })
		if got[http.StatusNoContent] != 1 || got[http.StatusConflict] != 1 {
			t.Errorf("both ways in are removed at once: %v", got)
		}
	})
}

// atOnce does something n times at once and counts what came of it.
func atOnce(n int, f func(i int) int) map[int]int {
	var (
		mu   sync.Mutex
		wait sync.WaitGroup
	)
	got := map[int]int{}
	for i := range n {
		wait.Go(func() {
			status := f(i)
			mu.Lock()
			defer mu.Unlock()
			got[status]++
		})
	}
	wait.Wait()
	return got
}
