package rigs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// GitHub speaks GitHub's wire format, and minds what is asked of it.
type GitHub struct {
	t  testing.TB
	mu sync.Mutex
	// codes and tokens are those that are good, with what they are bound to; guarded by mu.
	codes  map[string]url.Values
	tokens map[string]bool
}

const (
	hubToken = "gho_plantedAccessToken4711"
	hubUser  = `{"id": 583231, "login": "plantedlogin", "name": "Planted Octocat", "avatar_url": "https://avatars.example/planted.png", "email": "public@planted.example"}`
	hubMails = `[{"email": "second@octo.example", "verified": true, "primary": false}, {"email": "octo@octo.example", "verified": true, "primary": true}]`
)

// ServeHTTP implements http.Handler.
func (h *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch r.Host + r.URL.Path {
	case "github.com/login/oauth/authorize":
		q := r.URL.Query()
		for _, name := range []string{"client_id", "redirect_uri", "state", "code_challenge"} {
			if q.Get(name) == "" {
				h.t.Errorf("authorize without %s", name)
			}
		}
		if q.Get("code_challenge_method") != "S256" || q.Get("scope") != "user:email" || q.Get("response_type") != "code" {
			h.t.Errorf("authorize with %s", q.Encode())
		}
		h.codes["one-code"] = q
		back := q.Get("redirect_uri") + "?" + url.Values{"code": {"one-code"}, "state": {q.Get("state")}}.Encode()
		http.Redirect(w, r, back, http.StatusFound)
	case "github.com/login/oauth/access_token":
		h.exchange(w, r)
	case "api.github.com/user":
		h.answer(w, r, hubUser)
	case "api.github.com/user/emails":
		h.answer(w, r, hubMails)
	default:
		h.t.Errorf("asked for %s%s", r.Host, r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
}

// exchange answers errors with 200, as GitHub does.
func (h *GitHub) exchange(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
		h.t.Errorf("exchange by %s: %v", r.Method, err)
	}
	q, ok := h.codes[r.PostForm.Get("code")]
	delete(h.codes, r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	w.Header().Set("Content-Type", "application/json")
	out := map[string]string{"access_token": hubToken, "token_type": "bearer", "scope": "user:email"}
	if !ok || r.PostForm.Get("client_secret") != GitHubSecret || r.PostForm.Get("client_id") != q.Get("client_id") ||
		r.PostForm.Get("redirect_uri") != q.Get("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") {
		out = map[string]string{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
	} else {
		h.tokens[hubToken] = true
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		h.t.Error(err)
	}
}

func (h *GitHub) answer(w http.ResponseWriter, r *http.Request, body string) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !h.tokens[token] || r.Header.Get("User-Agent") == "" || r.Header.Get("Accept") != "application/vnd.github+json" {
		w.WriteHeader(http.StatusForbidden) // GitHub refuses who does not say what they are
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write([]byte(body)); err != nil {
		h.t.Error(err)
	}
}

// GitHubSecret is what a studio has to show to the GitHub of the tests.
const GitHubSecret = "hub secret"

// GitHubPlanted are words that it tells, of which none may be found in a studio.
func GitHubPlanted() []string {
	return []string{"583231", "plantedlogin", "Planted Octocat", "planted.png", hubToken, "octo@octo.example", "second@octo.example", "public@planted.example"}
}

// GitHubServer serves it under GitHub's own names, and returns a client for which they lead there.
func GitHubServer(t testing.TB) (*GitHub, *http.Client) {
	t.Helper()
	h := &GitHub{t: t, codes: map[string]url.Values{}, tokens: map[string]bool{}}
	return h, Named(t, h, "github.com", "api.github.com")
}

// Forget has all codes be used by somebody else.
func (h *GitHub) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.codes = map[string]url.Values{}
}
