package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/engine"
	"musa/engine/enginetest"
	"musa/musatest"
	"musa/policies"
)

// gated is the null engine behind a gate: a run begins, says whose picture it works on and
// goes on when it is let through.
type gated struct {
	enginetest.Null
	began chan musa.AssetID
	pass  chan struct{}
	left  chan time.Time // a run that was stopped says when it noticed
}

func newGated() *gated {
	return &gated{began: make(chan musa.AssetID, 1000), pass: make(chan struct{}), left: make(chan time.Time, 10)}
}

func (g *gated) Run(ctx context.Context, t engine.Task, p engine.Plan, report func(engine.Progress)) ([]engine.Output, error) {
	g.began <- t.Inputs[0].Asset
	select {
	case <-g.pass:
		return g.Null.Run(ctx, t, p, report)
	case <-ctx.Done():
		g.left <- time.Now()
		return nil, fmt.Errorf("gated run: %w", ctx.Err())
	}
}

// await receives within a time that only a fault exceeds.
func await[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("waited a minute for %s", what)
		panic("unreachable")
	}
}

// TestFairness: 500 waiting jobs of one guest delay another's first by at most two.
func TestFairness(t *testing.T) {
	t.Parallel()
	gate := newGated()
	s := musatest.New(t, musatest.Rig{Engine: gate, Width: 1})
	greedy, other := s.Guest(), s.Guest()
	a := greedy.Upload("many.png", noisePNG(t, 20, 20), "save", "true")
	b := other.Upload("one.png", noisePNG(t, 20, 20), "save", "true")
	var last api.Job
	for range 500 {
		s.Clock.Turn(time.Millisecond) // one order has its time to itself, as from one person
		last = greedy.Enhance(a.ID, nil)
	}
	if first := await(t, "the first run", gate.began); string(first) != a.ID {
		t.Fatalf("the first run works on another picture")
	}
	if at := greedy.Job(last.ID).Position; at != 498 {
		t.Errorf("the last of 500, of which one runs, stands at %d, want 498 before it", at)
	}
	mine := other.Enhance(b.ID, nil)
	between := 0
	for {
		gate.pass <- struct{}{}
		if next := await(t, "the next run", gate.began); string(next) == b.ID {
			break
		}
		if between++; between > 2 {
			t.Fatalf("%d more jobs of the first guest began before the other's only one", between)
		}
	}
	if got := other.Job(mine.ID); got.State != string(musa.JobRunning) {
		t.Errorf("the other's job is %q while its run is under way", got.State)
	}
	close(gate.pass)
	if got := other.Await(mine.ID); got.State != string(musa.JobSucceeded) {
		t.Errorf("the other's job ended %q", got.State)
	}
}

// TestCancel: a running job is stopped within a second, gives its credits back, and can be
// cancelled once.
func TestCancel(t *testing.T) {
	t.Parallel()
	gate := newGated()
	s := musatest.New(t, musatest.Rig{Engine: gate, Credit: 5, Width: 1})
	g := s.Guest()
	a := g.Upload("x.png", noisePNG(t, 20, 20), "save", "true")
	running, waiting := g.Enhance(a.ID, nil), g.Enhance(a.ID, nil)
	await(t, "the run", gate.began)
	wantCredits(t, g, 3, 2)
	ordered := time.Now()
	for _, j := range []api.Job{waiting, running} {
		var got api.Job
		g.Want(http.StatusOK, g.Do("DELETE", "/api/jobs/"+j.ID, nil), &got)
		if got.State != string(musa.JobCancelled) || got.Held != 0 {
			t.Errorf("a cancelled job is %q and holds %d", got.State, got.Held)
		}
	}
	if took := await(t, "the run's end", gate.left).Sub(ordered); took > time.Second {
		t.Errorf("the engine was told to stop %s after the cancel", took)
	}
	wantCredits(t, g, 5, 0)
	for _, j := range []api.Job{waiting, running} {
		p := g.Problem(http.StatusConflict, g.Do("DELETE", "/api/jobs/"+j.ID, nil))
		if p.Code != "job_ended" {
			t.Errorf("cancelled twice: code %q", p.Code)
		}
		if got := g.Await(j.ID); got.State != string(musa.JobCancelled) {
			t.Errorf("afterwards it is %q", got.State)
		}
	}
	wantCredits(t, g, 5, 0)
}

// TestEvents: the stream begins with how the job stands, tells of progress and ends with
// the job.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Engine: &enginetest.Null{Tiles: 8, Hold: 150 * time.Millisecond}})
	g := s.Guest()
	a := g.Upload("x.png", noisePNG(t, 20, 20))
	j := g.Enhance(a.ID, nil)
	res := g.Open("GET", "/api/jobs/"+j.ID+"/events", "", nil)
	defer res.Body.Close()
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("status %d, type %q", res.StatusCode, kind)
	}
	if cache := res.Header.Get("Cache-Control"); cache != "private, no-store" {
		t.Errorf("cache control %q", cache)
	}
	var states []string
	done, steps, name := 0, 0, ""
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			name = v
		}
		raw, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var now api.Job
		if err := json.Unmarshal([]byte(raw), &now); err != nil {
			t.Fatal(err)
		}
		if name == "state" {
			states = append(states, now.State)
		}
		if now.Progress.Done < done && now.State == string(musa.JobRunning) {
			t.Errorf("progress fell from %d to %d", done, now.Progress.Done)
		}
		if now.Progress.Done > done {
			done = now.Progress.Done
			steps++
			s.Clock.Turn(time.Second) // watchers hear of progress now and then, by the studio's clock
		}
	}
	if len(states) == 0 || states[len(states)-1] != string(musa.JobSucceeded) {
		t.Errorf("states %v do not end in success", states)
	}
	if steps < 3 {
		t.Errorf("progress rose %d times over 8 units", steps)
	}
}

// TestRange: parts of a picture are served, also across the seal's segments.
func TestRange(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("x.png", noisePNG(t, 300, 250), "save", "true")
	whole := g.Content(a.ID)
	g.Want(http.StatusOK, whole, nil)
	for name, want := range map[string]string{"Cache-Control": "private, no-store", "Content-Type": "image/png", "X-Content-Type-Options": "nosniff"} {
		if got := whole.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	n := len(whole.Body)
	for _, c := range []struct {
		header   string
		from, to int
	}{
		{"bytes=0-0", 0, 1}, {"bytes=65530-65545", 65530, 65546}, {"bytes=70000-", 70000, n}, {"bytes=-500", n - 500, n}, {"bytes=0-99999999", 0, n},
	} {
		status, body := ranged(t, g, a.ID, c.header)
		if status != http.StatusPartialContent || !bytes.Equal(body, whole.Body[c.from:c.to]) {
			t.Errorf("%s: status %d and %d bytes, want 206 and the %d from %d", c.header, status, len(body), c.to-c.from, c.from)
		}
	}
	if status, body := ranged(t, g, a.ID, fmt.Sprintf("bytes=%d-", n)); status != http.StatusRequestedRangeNotSatisfiable || len(body) > 200 {
		t.Errorf("behind the end: status %d and %d bytes", status, len(body))
	}
}

// TestNothingIsCutEarly: while a picture's end is far, its connection lives on. It used to
// be cut after about every second response that was whole, sometimes before it was read.
func TestNothingIsCutEarly(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("x.png", noisePNG(t, 60, 50), "save", "true")
	own := &http.Client{Transport: &http.Transport{}}
	fresh := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		if !c.Reused {
			fresh++
		}
	}})
	for range 50 {
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/assets/"+a.ID+"/content", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+g.Token)
		res, err := own.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil || n != a.Bytes {
			t.Fatalf("%d bytes of %d arrived: %v", n, a.Bytes, err)
		}
		res.Body.Close()
	}
	if fresh != 1 {
		t.Errorf("50 responses took %d connections, want 1", fresh)
	}
}

func ranged(t *testing.T, g *musatest.Client, id, header string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", g.Base+"/api/assets/"+id+"/content", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.Token)
	req.Header.Set("Range", header)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body.Bytes()
}

// TestStorageFull: a tier's storage is a limit, and a refused upload takes none of it.
func TestStorageFull(t *testing.T) {
	t.Parallel()
	_, src, err := policies.Source("studio", os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	const line = "guest:  {account: false}"
	if !bytes.Contains(src, []byte(line)) {
		t.Fatal("the studio preset gives guests another line")
	}
	s := musatest.New(t, musatest.Rig{Policy: strings.Replace(string(src), line, "guest:  {account: false, storage: 1MB}", 1)})
	g, other := s.Guest(), s.Guest()
	big := noisePNG(t, 450, 450) // 600 KB
	first := g.Upload("x.png", big)
	before := standing(t, s)
	p := g.Problem(http.StatusRequestEntityTooLarge, g.Post("y.png", big))
	if p.Code != "storage_full" || p.Field != "file" {
		t.Errorf("code %q, field %q", p.Code, p.Field)
	}
	if after := standing(t, s); after != before {
		t.Errorf("something stayed:\n%s", after)
	}
	other.Upload("z.png", big)
	g.Want(http.StatusAccepted, g.Do("DELETE", "/api/assets/"+first.ID, nil), nil)
	s.Clock.Turn(time.Minute)
	s.Step()
	g.Upload("y.png", big)
}
