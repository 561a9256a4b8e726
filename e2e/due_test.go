//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"musa/musatest"
	"musa/musatest/nodes"
	"musa/pix"
	"musa/policies"
)

// briefly is the studio's policy, but for unsaved originals, which live a few seconds.
func briefly(t *testing.T, dir, keep string) string {
	t.Helper()
	_, src, err := policies.Source("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	const line = "from: created, keep: 1h, unless: [saved, in_use]"
	if !bytes.Contains(src, []byte(line)) {
		t.Fatal("the studio preset keeps unused originals by another line")
	}
	path := filepath.Join(dir, "brief.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(src), line, strings.Replace(line, "1h", keep, 1), 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDueWhileStreaming reads a picture so slowly that its end comes in the middle: the
// response is cut within a second, on a real clock.
func TestDueWhileStreaming(t *testing.T) {
	dir := t.TempDir()
	brief := briefly(t, dir, "6s")
	s := nodes.Server(t, dir, "--policy", brief)
	s.Start()
	g := s.Guest()
	a := g.Upload("x.png", incompressible(t, 3200, 2400))
	if left := time.Until(*a.Ends); left < time.Second {
		t.Fatalf("%s are left: the machine is too slow to tell anything", left)
	}
	res, conn := slowly(t, g, "/api/assets/"+a.ID+"/content")
	defer res.Body.Close()
	// A kernel takes a reset that comes behind a segment which it had no room for as out of its
	// window, and may keep quiet. Whoever sends something then is reset: the server has let go.
	asked := time.AfterFunc(time.Until(*a.Ends)+time.Second, func() { conn.Write([]byte("\r")) })
	defer asked.Stop()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	got, sip := int64(0), time.NewTicker(50*time.Millisecond)
	defer sip.Stop()
	var cut, last time.Time // when the connection broke, and when the last bytes came
	for cut.IsZero() {
		<-sip.C
		n, err := io.CopyN(io.Discard, res.Body, 16<<10)
		if got += n; n > 0 {
			last = time.Now()
		}
		if err != nil {
			cut = time.Now()
		} else if time.Since(*a.Ends) > 10*time.Second {
			t.Fatalf("it is still delivered ten seconds after its end: %d of %d bytes", got, a.Bytes)
		}
	}
	if got >= a.Bytes {
		t.Fatalf("all of it was delivered before its end")
	}
	if late := last.Sub(*a.Ends); late > time.Second {
		t.Errorf("bytes came %s after its end, want none after a second", late)
	}
	if late := cut.Sub(*a.Ends); late > 2*time.Second || late < 0 {
		t.Errorf("cut %s after its end; a second after it the server has let go", late)
	}
	if p := g.Problem(http.StatusGone, g.Content(a.ID)); p.Reason == "" {
		t.Error("410 without a reason")
	}
	until(t, "its bytes to be gone", func() bool { return g.Asset(a.ID).State == "purged" })
	if late := g.Asset(a.ID).Erased.Sub(*a.Ends); late > 5*time.Second {
		t.Errorf("its key was destroyed %s after its end, want within 5 s", late)
	}
	if late := time.Since(*a.Ends); late > time.Minute {
		t.Errorf("its bytes were gone %s after its end, want within a minute", late)
	}
	said, status := nodes.Run(t, dir, "verify", "--deep", "--data", filepath.Join(dir, "data"), "--policy", brief,
		"--keys", filepath.Join(dir, "musa.keys"), "--files", s.Temp)
	if status != 0 {
		t.Errorf("musa verify --deep: status %d\n%s", status, said)
	}
}

// slowly asks with buffers so small that the server has to wait for the reader. It gives the
// connection, too, which breaks by itself or when something is sent, and by nothing else.
func slowly(t *testing.T, g *musatest.Client, path string) (*http.Response, net.Conn) {
	t.Helper()
	var conn net.Conn
	dial := func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		conn, err = (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.Token)
	res, err := (&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res, conn
}

// incompressible is a PNG as large as its pixels.
func incompressible(t *testing.T, w, h int) []byte {
	t.Helper()
	raw := make([]byte, w*h*3)
	grain(raw)
	i, err := pix.FromPixels(raw, w, h, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	data, err := i.Encode(t.Context(), pix.Encode{Format: pix.PNG})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// grain fills with noise that is the same on every run.
func grain(raw []byte) {
	r := rand.NewChaCha8([32]byte{7})
	// ChaCha8 never fails.
	_, _ = r.Read(raw)
}
