package conformance_test

import (
	"net/http"
	"strings"
	"testing"

	"musa/api"
	"musa/conformance"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
)

// browsersMemory: what a browser remembers of its visitor's answers grows with each of them, and
// follows what they later say on the settings page, where a no takes its cookies away.
func browsersMemory(t *testing.T, s *musatest.Studio) {
	t.Helper()
	v := &musatest.Client{T: t, Base: s.URL}
	jar := jarOf(asked(v, http.MethodPut, "/api/consents", `{"preferences":"yes"}`))
	jar = jarOf(asked(v, http.MethodPut, "/api/consents", `{"marketing":"no"}`, "Cookie", jar))
	c := consentsOf(v, "Cookie", jar)
	if p, m := lineOf(t, c, "preferences").Answer, lineOf(t, c, "marketing").Answer; p != "yes" || m != "no" {
		t.Errorf("after two answers, one after the other, the browser remembers preferences %s and marketing %s", p, m)
	}
	g := s.Guest()
	set := asked(g, http.MethodPut, "/api/me/consents", `{"preferences":"no"}`, "Cookie", jar)
	g.Want(http.StatusOK, set, nil)
	c = consentsOf(v, "Cookie", jarOf(set))
	if p, m := lineOf(t, c, "preferences").Answer, lineOf(t, c, "marketing").Answer; p != "no" || m != "no" {
		t.Errorf("after a no on the settings page the browser remembers preferences %s and marketing %s", p, m)
	}
	if !strings.Contains(strings.Join(set.Header.Values("Set-Cookie"), "\n"), "musa_theme=;") {
		t.Errorf("a no on the settings page leaves the cookies: %v", set.Header.Values("Set-Cookie"))
	}
}

func TestABrowserRemembersAllAnswers(t *testing.T) {
	under(t, "enhancer", func(t *testing.T, s *musatest.Studio) {
		conformance.Part(t, "E-08", "a browser remembers each answer", func(t *testing.T) { browsersMemory(t, s) })
	})
}

func TestVisitorsOfWorkspacesChoose(t *testing.T) {
	under(t, "workspace", func(t *testing.T, s *musatest.Studio) {
		conformance.Part(t, "W-08", "equal answers in the API", func(t *testing.T) { visitors(t, s); browsersMemory(t, s) })
		conformance.Part(t, "W-35", "a deleted cookie stays deleted", func(t *testing.T) { visitors(t, s) })
	})
}

// An answer that is given under the browser's signal is answered as the signal has it.
func TestAnAnswerUnderTheSignal(t *testing.T) {
	under(t, "enhancer", func(t *testing.T, s *musatest.Studio) {
		for who, put := range map[string]func(c *musatest.Client, body string, headers ...string) musatest.Answer{
			"a visitor": func(c *musatest.Client, body string, headers ...string) musatest.Answer {
				return asked(&musatest.Client{T: c.T, Base: c.Base}, http.MethodPut, "/api/consents", body, headers...)
			},
			"a guest at the banner": func(c *musatest.Client, body string, headers ...string) musatest.Answer {
				return asked(c, http.MethodPut, "/api/consents", body, headers...)
			},
			"a guest in the settings": func(c *musatest.Client, body string, headers ...string) musatest.Answer {
				return asked(c, http.MethodPut, "/api/me/consents", body, headers...)
			},
		} {
			g := s.Guest()
			for _, c := range []struct {
				headers []string
				gpc     string
				on      bool
			}{{nil, "refuses", true}, {[]string{"Sec-GPC", "1"}, "overrules", false}} {
				var after api.Consents
				g.Want(http.StatusOK, put(g, `{"marketing":"yes"}`, c.headers...), &after)
				if l := lineOf(t, after, "marketing"); l.On != c.on || l.Gpc != c.gpc || after.Signal != (c.headers != nil) {
					t.Errorf("%s, %v: signal %v, %+v", who, c.headers, after.Signal, l)
				}
			}
		}
	})
}

// What a picture's own panel answers counts the signal, too.
func TestAPicturesAnswerUnderTheSignal(t *testing.T) {
	t.Parallel()
	doc, err := policies.Load("conversational", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := musatest.New(t, musatest.Rig{Policy: strings.Replace(string(doc.YAML()), "training: {", "training: {gpc: refuse, ", 1)})
	g := s.Guest()
	a := g.Upload("a.png", photos.Read(t, "chelsea.png"), "save", "true")
	for _, c := range []struct {
		headers []string
		trained bool
	}{{nil, true}, {[]string{"Sec-GPC", "1"}, false}} {
		var p api.AssetPrivacy
		g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/assets/"+a.ID+"/privacy", `{"training":"yes"}`, c.headers...), &p)
		if p.Training != c.trained {
			t.Errorf("%v: trained with is %v", c.headers, p.Training)
		}
	}
}

// Words that an answer brings along come in the language of who gave it.
func TestAnswersSpeak(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Policy: "workspace"})
	g := s.Guest()
	said := map[string]string{}
	for _, tongue := range []string{"en", "de"} {
		var l api.Log
		g.Want(http.StatusOK, asked(g, http.MethodPut, "/api/me/log", `{"off":true}`, "Accept-Language", tongue), &l)
		if len(l.Kept) == 0 {
			t.Fatal("nothing is kept")
		}
		said[tongue] = l.Kept[0].Words
	}
	if said["en"] == said["de"] {
		t.Errorf("in both languages %q", said["en"])
	}
}
