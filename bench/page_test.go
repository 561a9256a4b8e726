package bench_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// What a page loads, as our pages, styles and scripts name it.
var references = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"|url\("?([^")]+)"?\)|(?:from|import) ?['"](\./[^'"]+)['"]`)

// BenchmarkPage loads the studio's page as a browser does that has nothing yet, with all that
// it names, and counts the bytes of the bodies over the wire. Goal: ≤ 150 kB.
func BenchmarkPage(b *testing.B) {
	base := open(b, newHouse(b, embedded))
	for b.Loop() {
		var all, fonts float64
		requests := 0
		seen := map[string]bool{base + "/": true}
		for queue := []string{base + "/"}; len(queue) > 0; queue = queue[1:] {
			wire, text := load(b, queue[0])
			requests++
			all += float64(wire)
			if strings.HasSuffix(queue[0], ".woff2") {
				fonts += float64(wire)
			}
			for _, next := range named(b, queue[0], text) {
				if !seen[next] {
					seen[next] = true
					queue = append(queue, next)
				}
			}
		}
		b.ReportMetric(all/1000, "kB")
		b.ReportMetric(fonts/1000, "fonts-kB")
		b.ReportMetric(float64(requests), "requests")
	}
}

// load returns how many bytes of body came, and what they say.
func load(b *testing.B, address string) (wire int, text string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	must(b, err)
	req.Header.Set("Accept-Encoding", "gzip") // by hand, so that the client does not unpack
	res, err := http.DefaultClient.Do(req)
	must(b, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s", address, res.Status)
	}
	body, err := io.ReadAll(res.Body)
	must(b, err)
	if res.Header.Get("Content-Encoding") != "gzip" {
		return len(body), string(body)
	}
	r, err := gzip.NewReader(strings.NewReader(string(body)))
	must(b, err)
	plain, err := io.ReadAll(r)
	must(b, err)
	return len(body), string(plain)
}

// named lists what a page, a style or a script loads. A font for letters that the page does
// not show is not loaded: of two, the one for other alphabets is left out.
func named(b *testing.B, address, text string) []string {
	b.Helper()
	if strings.HasSuffix(address, ".woff2") {
		return nil
	}
	at, err := url.Parse(address)
	must(b, err)
	var out []string
	for _, m := range references.FindAllStringSubmatch(text, -1) {
		to := m[1] + m[2] + m[3]
		if strings.HasPrefix(to, "data:") || strings.HasPrefix(to, "#") || strings.Contains(to, "latin-ext") {
			continue
		}
		next, err := at.Parse(to)
		must(b, err)
		out = append(out, next.String())
	}
	return out
}
