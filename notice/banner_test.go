package notice_test

import (
	"testing"
	"time"

	"musa"
	"musa/musatest"
)

// Who went on with a change that matters is not shown it again by a later version of words alone;
// and what a banner says, it says in the language of its reader.
func TestABannerStaysAwayOnceItWasAccepted(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	c := s.Guest()
	by := musa.Actor{Subject: c.Subject(), Tier: musa.TierGuest, Role: musa.RoleSubject}
	shown := func() bool {
		t.Helper()
		_, ok, err := s.Notices.Shown(t.Context(), by, "en")
		must(t, err)
		return ok
	}
	s.Publish(changed(t, "2026-11-22.71", "keep: 48h", "keep: 72h"))
	if !shown() {
		t.Fatal("no banner about a change that matters")
	}
	s.Clock.Turn(time.Hour)
	must(t, s.Notices.Use(t.Context(), by))
	if shown() {
		t.Fatal("the banner stays for who went on")
	}
	s.Clock.Turn(time.Hour)
	s.Publish(changed(t, "2026-11-22.72", "keep: 48h", "keep: 72h", "Example Studio", "Example Studio Ltd"))
	if shown() {
		t.Error("a change of words alone brings back what was accepted")
	}
	s.Clock.Turn(time.Hour)
	s.Publish(changed(t, "2026-11-22.73", "keep: 48h", "keep: 72h", "from: sent, keep: 7d", "from: sent, keep: 9d", "Example Studio", "Example Studio Ltd"))
	if !shown() {
		t.Error("no banner about a further change that matters")
	}
	if b, _ := s.Notices.Change("de"); len(b.Changes) == 0 || b.Changes[0] != "Vermerke über Mails an Sie – bisher gelöscht 7 Tage nach dem Versand, oder gelöscht 30 Tage nach der Entstehung, je nachdem, was zuerst kommt, jetzt gelöscht 9 Tage nach dem Versand, oder gelöscht 30 Tage nach der Entstehung, je nachdem, was zuerst kommt." {
		t.Errorf("in German it says %q", b.Changes)
	}
}
