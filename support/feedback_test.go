package support_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/engine/enginetest"
	"musa/musatest"
)

// picture is a small picture that no other is like.
func picture(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for i := range 24 * 16 {
		img.Set(i%24, i/24, color.RGBA{byte(i * 7), byte(i * 13), byte(i), 255})
	}
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	return b.Bytes()
}

// What somebody thinks of a picture is one thing, can be changed and erased, and goes with it.
func TestFeedbackGoesWithItsPicture(t *testing.T) {
	onBoth(t, musatest.Rig{}, func(t *testing.T, s *musatest.Studio) {
		g, other := s.Guest(), s.Guest()
		out := g.Made(g.Upload("x.png", picture(t)).ID, nil)
		path := "/api/assets/" + out.ID + "/feedback"
		g.Problem(http.StatusNotFound, g.Do("GET", path, nil))
		f := got[api.Feedback](g, "PUT", path, obj{"rating": 4, "note": said})
		if f.Rating != 4 || f.Note != said || f.Ends == nil || f.EndsRule == "" {
			t.Errorf("rated %+v", f)
		}
		got[api.Feedback](g, "PUT", path, obj{"thumb": "down", "note": "no, it is not"})
		if f = got[api.Feedback](g, "GET", path, nil); f.Rating != 0 || f.Thumb != "down" || f.Note != "no, it is not" {
			t.Errorf("changed to %+v", f)
		}
		if n := count(t, s, "records WHERE category = 'feedback'"); n != 1 {
			t.Errorf("%d records of one person's word on one picture", n)
		}
		for _, r := range []string{"GET", "DELETE"} {
			other.Problem(http.StatusNotFound, other.Do(r, path, nil))
		}
		other.Problem(http.StatusNotFound, other.Do("PUT", path, obj{"rating": 1}))
		for _, bad := range []obj{{}, {"rating": 6}, {"rating": -1}, {"thumb": "sideways"}, {"note": strings.Repeat("n", 2001)}} {
			g.Problem(http.StatusBadRequest, g.Do("PUT", path, bad))
		}
		g.Want(http.StatusNoContent, g.Do("DELETE", path, nil), nil)
		g.Problem(http.StatusNotFound, g.Do("GET", path, nil))
		got[api.Feedback](g, "PUT", path, obj{"rating": 5})
		g.Want(http.StatusAccepted, g.Do("DELETE", "/api/assets/"+out.ID, nil), nil)
		g.Problem(http.StatusGone, g.Do("GET", path, nil))
		s.Clock.Turn(time.Minute)
		s.Step()
		if n := count(t, s, "records WHERE category = 'feedback' AND state = 'active'"); n != 0 {
			t.Errorf("the picture is erased and %d words on it are there", n)
		}
	})
}

// A report says what its preview showed, and what was not ticked is not in it.
func TestAReportIsItsPreview(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{Engine: &enginetest.Null{Fail: errors.New("the engine broke")}})
	g, other := s.Guest(), s.Guest()
	const secret, name = "make the walrus wear a crown", "walrus-of-aunt-ida.png"
	up := g.Upload(name, picture(t), "save", "true")
	job := g.Await(g.Enhance(up.ID, musatest.Order{"prompt": secret}).ID)
	if job.State != "failed" {
		t.Fatalf("the job is %s", job.State)
	}
	path := "/api/jobs/" + job.ID + "/report"
	raw := g.Do("GET", path, nil)
	for _, w := range []string{"walrus", "ida", "picture"} {
		if strings.Contains(string(raw.Body), w) {
			t.Errorf("unticked, it says %q: %s", w, raw.Body)
		}
	}
	plain := got[api.ReportPreview](g, "GET", path, nil)
	if plain.Report.Code == "" || len(plain.Report.Inputs) != 1 || plain.Report.Inputs[0].Width != 24 || plain.Report.Engine != "null" {
		t.Errorf("it lacks what helps: %+v", plain.Report)
	}
	other.Problem(http.StatusNotFound, other.Do("GET", path, nil))
	full := got[api.ReportPreview](g, "GET", path+"?prompt=true&names=true&picture=true", nil)
	if full.Report.Prompt != secret || full.Report.Inputs[0].Name != name || len(full.Report.Picture) == 0 {
		t.Errorf("ticked, it says %+v", full.Report)
	}
	p := g.Problem(http.StatusConflict, g.Do("POST", path, obj{"digest": plain.Digest, "prompt": true}))
	if p.Code != "preview_old" {
		t.Errorf("what was not shown was refused as %q", p.Code)
	}
	th := got[api.Thread](g, "POST", path, obj{"digest": plain.Digest, "words": "it breaks each time"})
	sent := got[api.Thread](g, "GET", "/api/support/"+th.ID, nil)
	if sent.Kind != "fault" || sent.Object != job.ID || sent.Report == nil || sent.Report.Prompt != "" || len(sent.Report.Picture) != 0 || sent.Report.Job != plain.Report.Job {
		t.Errorf("sent was %+v", sent)
	}
	if sent.Report.Code != plain.Report.Code || sent.Report.Inputs[0] != plain.Report.Inputs[0] {
		t.Errorf("sent was %+v, shown %+v", sent.Report, plain.Report)
	}
}
