package musatest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/api"
)

// Client is somebody at the door, speaking plain HTTP.
type Client struct {
	T     testing.TB
	Base  string
	Token string
	Email string // of a Member
	// Workspace is the one that it acts for; empty for its person's own.
	Workspace string
	Agent     string      // its User-Agent, where that matters
	From      string      // the address that it comes from, of 127.0.0.0/8; any if empty
	Header    http.Header // what it sends besides
}

// Guest begins as a new guest.
func (s *Studio) Guest() *Client { return NewGuest(s.T, s.URL) }

// NewGuest begins as a new guest of whatever server listens at base.
func NewGuest(t testing.TB, base string) *Client {
	t.Helper()
	c := &Client{T: t, Base: base}
	var g api.Guest
	c.Want(http.StatusCreated, c.Do(http.MethodPost, "/api/guests", nil), &g)
	c.Token = g.Token
	return c
}

// Subject is whose client it is.
func (c *Client) Subject() musa.SubjectID {
	c.T.Helper()
	var me api.Me
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me", nil), &me)
	return musa.SubjectID(me.Subject)
}

// In is the same client for a subtest.
func (c *Client) In(t testing.TB) *Client {
	d := *c
	d.T = t
	return &d
}

// At is the same person acting for a workspace.
func (c *Client) At(workspace string) *Client {
	return &Client{T: c.T, Base: c.Base, Token: c.Token, Email: c.Email, Workspace: workspace}
}

// Answer is a response, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request with a JSON body, or none.
func (c *Client) Do(method, path string, body any) Answer {
	c.T.Helper()
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		must(c.T, err)
		r = bytes.NewReader(raw)
	}
	return c.Send(method, path, "application/json", r)
}

// Send sends a request with any body.
func (c *Client) Send(method, path, kind string, body io.Reader) Answer {
	c.T.Helper()
	res := c.Open(method, path, kind, body)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(c.T, err)
	return Answer{res.StatusCode, res.Header, raw}
}

// Open sends a request and leaves the body open.
func (c *Client) Open(method, path, kind string, body io.Reader) *http.Response {
	c.T.Helper()
	req, err := http.NewRequestWithContext(c.T.Context(), method, c.Base+path, body)
	must(c.T, err)
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Workspace != "" {
		req.Header.Set("Musa-Workspace", c.Workspace)
	}
	if c.Agent != "" {
		req.Header.Set("User-Agent", c.Agent)
	}
	maps.Copy(req.Header, c.Header)
	res, err := c.http().Do(req)
	must(c.T, err)
	return res
}

// http is what carries the client's requests: from its own address where it names one.
func (c *Client) http() *http.Client {
	if c.From == "" {
		return http.DefaultClient
	}
	from := &net.TCPAddr{IP: net.ParseIP(c.From)}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: from}).DialContext}}
}

// Want checks the status and decodes the body into out, if out is not nil.
func (c *Client) Want(status int, a Answer, out any) {
	c.T.Helper()
	if a.Status != status {
		c.T.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	if out != nil {
		must(c.T, json.Unmarshal(a.Body, out))
	}
}

// Post uploads a file as it is, under any name, and returns what came of it.
func (c *Client) Post(name string, data []byte, fields ...string) Answer {
	c.T.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		must(c.T, w.WriteField(fields[i], fields[i+1]))
	}
	part, err := w.CreateFormFile("file", name)
	must(c.T, err)
	_, err = part.Write(data)
	must(c.T, err)
	must(c.T, w.Close())
	return c.Send(http.MethodPost, "/api/assets", w.FormDataContentType(), &body)
}

// Upload uploads a picture that has to be taken. Fields are form fields before the file,
// as name, value, name, value.
func (c *Client) Upload(name string, data []byte, fields ...string) api.Asset {
	c.T.Helper()
	var a api.Asset
	c.Want(http.StatusCreated, c.Post(name, data, fields...), &a)
	return a
}

// Order is a job's request, as JSON has it.
type Order map[string]any

// Enhance orders work on an asset.
func (c *Client) Enhance(asset string, with Order) api.Job {
	c.T.Helper()
	o := Order{"kind": musa.KindEnhance, "inputs": []string{asset}}
	for k, v := range with {
		o[k] = v
	}
	var j api.Job
	c.Want(http.StatusAccepted, c.Do(http.MethodPost, "/api/jobs", o), &j)
	return j
}

// Job asks how a job stands.
func (c *Client) Job(id string) api.Job {
	c.T.Helper()
	var j api.Job
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/jobs/"+id, nil), &j)
	return j
}

// Await waits for a job's end by its event stream and returns it.
func (c *Client) Await(id string) api.Job {
	c.T.Helper()
	res := c.Open(http.MethodGet, "/api/jobs/"+id+"/events", "", nil)
	defer res.Body.Close()
	timer := time.AfterFunc(2*time.Minute, func() { res.Body.Close() })
	defer timer.Stop()
	var last api.Job
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			must(c.T, json.Unmarshal([]byte(data), &last))
		}
	}
	if !musa.JobState(last.State).Ended() {
		c.T.Fatalf("job %s: the stream ended in state %q", id, last.State)
	}
	return c.Job(id)
}

// Made orders work, waits and returns the one result of a job that has to succeed.
func (c *Client) Made(asset string, with Order) api.Asset {
	c.T.Helper()
	j := c.Await(c.Enhance(asset, with).ID)
	if j.State != string(musa.JobSucceeded) || len(j.Outputs) != 1 {
		c.T.Fatalf("job %s: state %s, %d outputs, error %+v", j.ID, j.State, len(j.Outputs), j.Error)
	}
	return j.Outputs[0]
}

// Asset asks how an asset stands.
func (c *Client) Asset(id string) api.Asset {
	c.T.Helper()
	var a api.Asset
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/assets/"+id, nil), &a)
	return a
}

// Content asks for an asset's bytes.
func (c *Client) Content(id string) Answer {
	c.T.Helper()
	return c.Do(http.MethodGet, "/api/assets/"+id+"/content", nil)
}

// Problem decodes an error's body, after a check of its status.
func (c *Client) Problem(status int, a Answer) api.Problem {
	c.T.Helper()
	var p api.Problem
	c.Want(status, a, &p)
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		c.T.Fatalf("an error of type %q, want application/problem+json", kind)
	}
	if p.Code == "" || p.Detail == "" || p.Status != status {
		c.T.Fatalf("an error without code, words or status: %s", a.Body)
	}
	return p
}
