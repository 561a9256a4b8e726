//go:build e2e

package e2e_test

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"musa/account"
	"musa/api"
	"musa/musatest"
	"musa/musatest/rigs"
	"musa/policies"
)

const opName = "op.company.example"

//go:embed oidc/package.json oidc/package-lock.json oidc/server.mjs
var opFiles embed.FS

// opFolder is where the provider's packages lie, fetched once for each lock file.
func opFolder(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := opFiles.ReadFile("oidc/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "musa-oidc", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); errors.Is(err, os.ErrNotExist) {
		fetchOP(t, dir)
	}
	copyOP(t, dir)
	return dir
}

// fetchOP fetches beside its place and renames: an interrupted one leaves nothing that looks whole.
func fetchOP(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-*")
	if err != nil {
		t.Fatal(err)
	}
	copyOP(t, work)
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.Rename(work, dir); err != nil {
		t.Fatal(err)
	}
}

func copyOP(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"package.json", "package-lock.json", "server.mjs"} {
		raw, err := opFiles.ReadFile("oidc/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// startOP runs the provider and returns a client for which its name leads there.
func startOP(t *testing.T, dir, back string) *http.Client {
	t.Helper()
	cert, pool := rigs.Certificate(t, opName)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	secret := t.TempDir()
	keyFile, certFile := filepath.Join(secret, "key.pem"), filepath.Join(secret, "cert.pem")
	for file, block := range map[string]*pem.Block{keyFile: {Type: "PRIVATE KEY", Bytes: key}, certFile: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node := exec.Command("node", "server.mjs", "https://"+opName, keyFile, certFile, "studio", "secret of the studio", back)
	node.Dir = dir
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It is ended, and says so.
		_ = node.Process.Kill()
		_ = node.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the provider does not start")
	}
	return rigs.NamedAt(t, "127.0.0.1:"+lines.Text(), pool)
}

var promptField = regexp.MustCompile(`name="prompt" value="(login|consent)"`)

// through signs in on the provider's own pages, until it sends the browser back.
func through(t *testing.T, c *http.Client, address, back, login string) string {
	t.Helper()
	for range 12 {
		if strings.HasPrefix(address, back) {
			return address
		}
		body, next := fetchOPPage(t, c, http.MethodGet, address, nil)
		if next == "" {
			prompt := promptField.FindStringSubmatch(body)
			if prompt == nil {
				t.Fatalf("the provider shows something else: %.300s", body)
			}
			_, next = fetchOPPage(t, c, http.MethodPost, address, url.Values{"prompt": {prompt[1]}, "login": {login}, "password": {"any"}})
		}
		address = next
	}
	t.Fatal("the provider never sends the browser back")
	return ""
}

func fetchOPPage(t *testing.T, c *http.Client, method, address string, form url.Values) (body, next string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	to, err := res.Location()
	if err != nil {
		return string(raw), ""
	}
	return string(raw), to.String()
}

// TestOIDCProvider signs in with npm's oidc-provider, which keeps the address in its user info,
// asks for PKCE and says who it is in its answer: a second implementation beside mockoidc.
func TestOIDCProvider(t *testing.T) {
	dir := opFolder(t)
	doc, err := policies.Load("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	policy := strings.Replace(string(doc.YAML()), "processors: {}\n", "processors:\n  op: {hosts: ["+opName+"], for: [sign_in], gets: [account], country: DE, agreement: doc/agreements/op.md}\n", 1)
	late := &http.Client{}
	set, err := account.NewProvider(account.Provider{Name: "op", Issuer: "https://" + opName, ID: "studio", Secret: "secret of the studio", Client: late})
	if err != nil {
		t.Fatal(err)
	}
	s := musatest.New(t, musatest.Rig{Policy: policy, Providers: []account.Provider{set}})
	back := s.PublicURL + "/api/session/provider/op/callback"
	client := startOP(t, dir, back)
	*late = *client // the provider has to know where the studio is before it starts

	enter := func(login string) (c *http.Client, to string) {
		theirs := *client
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		theirs.Jar = jar
		ours := &http.Client{CheckRedirect: theirs.CheckRedirect}
		if ours.Jar, err = cookiejar.New(nil); err != nil {
			t.Fatal(err)
		}
		_, leave := fetchOPPage(t, ours, http.MethodGet, s.PublicURL+"/api/session/provider/op", nil)
		_, to = fetchOPPage(t, ours, http.MethodGet, through(t, &theirs, leave, back, login), nil)
		return ours, to
	}
	session := func(c *http.Client) *musatest.Client {
		at, err := url.Parse(s.PublicURL)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range c.Jar.Cookies(at) {
			if k.Name == "musa_session" {
				return &musatest.Client{T: t, Base: s.PublicURL, Token: k.Value}
			}
		}
		t.Fatal("there is no session")
		return nil
	}
	c, to := enter("jane")
	_, fragment, _ := strings.Cut(to, "#")
	q, err := url.ParseQuery(fragment)
	if err != nil || q.Get("join") == "" {
		t.Fatalf("the first sign-in leads to %s", to)
	}
	guest := session(c)
	body := musatest.Grown()
	body["secret"] = q.Get("join")
	var e api.Entry
	guest.Want(http.StatusOK, guest.Do(http.MethodPost, "/api/session/provider/op/join", body), &e)
	c, to = enter("jane")
	if to != s.PublicURL+"/" || string(session(c).Subject()) != e.Subject {
		t.Errorf("the second sign-in leads to %s", to)
	}
	if _, to = enter("jane.twin"); !strings.Contains(to, "#join=") {
		t.Errorf("somebody else is led to %s", to)
	}
	found := musatest.Find(t, s.Dirs, musatest.Markers{"name": []byte("Planted Name"), "picture": []byte("planted.example"), "address": []byte("jane@company.example")})
	if len(found) > 0 {
		t.Errorf("in clear: %v", found)
	}
}
