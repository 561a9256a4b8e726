//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"musa/blob/files"
	"musa/db"
	"musa/musatest"
	"musa/musatest/nodes"
	"musa/musatest/photos"
	"musa/pix"
)

// A failure can be repeated, as far as time allows, with the seed that it logged.
var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the moments at which processes are killed")

// kills is how often a process dies under the jobs. Promise of the issue "the main job".
const kills = 50

func dice(t *testing.T) *rand.Rand {
	t.Logf("repeat with -seed=%d", *seed)
	return rand.New(rand.NewPCG(*seed, kills))
}

// TestKilledServer kills the server at 50 random moments, while it starts and while it
// works. Every job ends once, and nothing is left over or lost.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := nodes.Server(t, dir)
	s.Start()
	c := newCrowd(t, s.URL)
	r := dice(t)
	for i := range kills {
		c.Order()
		if i%5 == 4 {
			wait(t, r, 300*time.Millisecond) // still starting
		} else {
			s.Ready()
			wait(t, r, time.Second)
		}
		s.Kill()
		s.Begin()
	}
	s.Ready()
	c.Settled()
	s.Stop()
	d, err := db.Open(t.Context(), db.Config{Path: filepath.Join(dir, "data", "musa.db"), Clock: time.Now, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	look(t, d, c)
	store, err := files.New(filepath.Join(dir, "data", "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	wantBlobs(t, d, store)
	wantEmpty(t, s.Temp, s.Home)
	wantVerified(t, dir, "--data", filepath.Join(dir, "data"), "--policy", "studio", "--keys", filepath.Join(dir, "musa.keys"))
}

// wait lets a random time pass: the moment of a death is what is tested.
func wait(t *testing.T, r *rand.Rand, most time.Duration) {
	ctx, stop := context.WithTimeout(t.Context(), time.Duration(r.Int64N(int64(most))))
	defer stop()
	<-ctx.Done()
}

// crowd is some people who go on sending pictures and ordering work while the server comes
// and goes.
type crowd struct {
	t       *testing.T
	people  []*musatest.Client
	photo   []byte
	pixels  []byte
	more    chan struct{}
	ordered chan ordered
	n       int
}

// ordered is a job that the server confirmed.
type ordered struct {
	by         *musatest.Client
	asset, job string
	saved      bool
}

// backlog is how many jobs are ordered before the first death, so that there is always one
// to die with.
const backlog = 10

func newCrowd(t *testing.T, url string) *crowd {
	t.Helper()
	c := &crowd{t: t, more: make(chan struct{}, kills+backlog), ordered: make(chan ordered, kills+backlog)}
	for range 5 {
		c.people = append(c.people, musatest.NewGuest(t, url))
	}
	c.photo, c.pixels = crop(t, 420, 300)
	t.Cleanup(func() { close(c.more) })
	go c.run()
	for range backlog {
		c.Order()
	}
	return c
}

// crop is a small part of a real photograph, as PNG and as pixels.
func crop(t *testing.T, w, h int) (file, pixels []byte) {
	t.Helper()
	whole, err := pix.Decode(t.Context(), photos.Read(t, "astronaut.png"), pix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	full, _ := whole.Size()
	view := whole.View()
	for y := range h {
		at := 3 * (y*full + 40)
		pixels = append(pixels, view[at:at+3*w]...)
	}
	part, err := pix.FromPixels(pixels, w, h, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Close()
	if file, err = part.Encode(t.Context(), pix.Encode{Format: pix.PNG}); err != nil {
		t.Fatal(err)
	}
	return file, pixels
}

// Order has one more job ordered, as soon as the server takes it.
func (c *crowd) Order() {
	c.n++
	c.more <- struct{}{}
}

func (c *crowd) run() {
	i := 0
	for range c.more {
		c.one(i)
		i++
	}
}

// one uploads and orders until the server has confirmed both. What was admitted and not
// confirmed is the server's to end, too.
func (c *crowd) one(i int) {
	o := ordered{by: c.people[i%len(c.people)], saved: i%2 == 0}
	order := musatest.Order{"kind": "enhance", "params": steps(i)}
	for c.t.Context().Err() == nil {
		if o.asset == "" {
			o.asset = try(o.by, upload(o.saved, c.photo), http.StatusCreated).ID
			continue
		}
		order["inputs"] = []string{o.asset}
		got := try(o.by, request("/api/jobs", order), http.StatusAccepted)
		if got.status/100 == 4 {
			o.asset = "" // an order that died unheard was admitted, and the original went with its job
			continue
		}
		if o.job = got.ID; o.job != "" {
			c.ordered <- o
			return
		}
	}
}

// steps alternate between plain editing and a network.
func steps(i int) map[string]any {
	if i%3 == 0 {
		return map[string]any{"scale": 2, "quality": "fast", "format": "jpeg"}
	}
	return map[string]any{"scale": 1, "format": "jpeg", "steps": map[string]string{"sharpen": "on", "light": "on", "colour": "on"}}
}

// Settled waits until every confirmed job has ended, then looks at what its owner has.
func (c *crowd) Settled() {
	c.t.Helper()
	good := 0
	for range c.n {
		o := receive(c.t, "an order", c.ordered)
		j := o.by.Await(o.job)
		switch j.State {
		case "succeeded":
			good++
			if len(j.Outputs) != 1 {
				c.t.Fatalf("job %s succeeded with %d results", o.job, len(j.Outputs))
			}
			c.whole(o.by, j.Outputs[0].ID)
		case "failed":
			if j.Error == nil || j.Error.Code != "job_crashed" || len(j.Outputs) != 0 {
				c.t.Errorf("job %s failed with %+v and %d results", o.job, j.Error, len(j.Outputs))
			}
		default:
			c.t.Errorf("job %s ended %q", o.job, j.State)
		}
		if !o.saved {
			until(c.t, "an original that nobody saved to be purged", func() bool { return o.by.Asset(o.asset).State == "purged" })
			continue
		}
		if got := c.whole(o.by, o.asset); !bytes.Equal(got, c.pixels) {
			c.t.Errorf("the original %s has other pixels than were sent", o.asset)
		}
	}
	c.t.Logf("%d of %d jobs succeeded", good, c.n)
	if good < c.n/2 {
		c.t.Errorf("%d of %d jobs succeeded: the deaths were too many to tell anything", good, c.n)
	}
}

// whole opens a picture and returns its pixels.
func (c *crowd) whole(by *musatest.Client, id string) []byte {
	c.t.Helper()
	content := by.Content(id)
	by.Want(http.StatusOK, content, nil)
	i, err := pix.Decode(c.t.Context(), content.Body, pix.Limits{})
	if err != nil {
		c.t.Fatalf("%s does not decode: %v", id, err)
	}
	defer i.Close()
	pixels, _, err := i.Pixels()
	if err != nil {
		c.t.Fatal(err)
	}
	return pixels
}
