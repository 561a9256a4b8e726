package rights_test

import (
	"net/http"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
	"musa/musatest/photos"
)

// An erasure hides at once, can be taken back until its time is over, and not after.
func TestErasureAndUndo(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	erase := func() (e api.Erasing) {
		g.Want(http.StatusAccepted, g.Do(http.MethodDelete, "/api/assets/"+a.ID, nil), &e)
		return e
	}
	undo := func() musatest.Answer {
		return g.Do(http.MethodPatch, "/api/assets/"+a.ID, map[string]bool{"erasing": false})
	}
	first := erase()
	g.Problem(http.StatusGone, g.Content(a.ID))
	if again := erase(); !again.Undo.Equal(*first.Undo) {
		t.Errorf("ordering it twice moved the end from %v to %v", first.Undo, again.Undo)
	}
	s.Clock.Turn(10*time.Second - time.Millisecond)
	s.Step()
	g.Want(http.StatusOK, undo(), nil)
	g.Want(http.StatusOK, g.Content(a.ID), nil)
	erase()
	s.Clock.Turn(10 * time.Second)
	g.Problem(http.StatusGone, undo())
	s.Step()
	g.Problem(http.StatusGone, undo())
	if got := g.Asset(a.ID); got.State != "purged" || got.Receipt == "" {
		t.Errorf("it is %q with receipt %q", got.State, got.Receipt)
	}
}

// What its policy ended cannot be deleted any more: it is gone, and there is nothing to undo.
func TestErasureOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	g := s.Guest()
	a := g.Upload("cat.png", photos.Read(t, "chelsea.png"))
	s.Clock.Turn(a.Ends.Sub(s.Clock.Now()))
	if p := g.Problem(http.StatusGone, g.Do(http.MethodDelete, "/api/assets/"+a.ID, nil)); p.Reason == "" {
		t.Errorf("gone without a reason: %+v", p)
	}
	other := s.Guest()
	other.Problem(http.StatusNotFound, other.Do(http.MethodDelete, "/api/assets/"+a.ID, nil))
}
