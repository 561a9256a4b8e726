package consent_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/musatest"
)

// What expires ends by itself, to the instant and before any sweep; it is asked again, and what
// required it does not come back with it.
func TestAConsentExpires(t *testing.T) {
	on(t, func(t *testing.T, s *musatest.Studio, by musa.Actor) {
		item := asset(t, s, by)
		if err := give(t, s, by, "training", consent.Yes); err != nil {
			t.Fatal(err)
		}
		if err := s.Consents.ChooseFor(t.Context(), by, item, map[string]consent.Answer{"training_commercial": consent.Yes}, consent.ViaSettings); err != nil {
			t.Fatal(err)
		}
		word := func() consent.Word {
			st, err := s.Consents.State(t.Context(), by)
			if err != nil {
				t.Fatal(err)
			}
			return st.Lines[slices.IndexFunc(st.Lines, func(l consent.Line) bool { return l.Name == "training" })].Word
		}
		end := word().Expires.Time()
		s.Clock.Turn(end.Sub(s.Clock.Now()) - time.Millisecond)
		// The guest is long away by then; it is the consent that is looked at.
		if err := s.House.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.TouchSubject(ctx, by.Subject) }); err != nil {
			t.Fatal(err)
		}
		for _, want := range []bool{true, false} {
			if got := slices.Contains(now(t, s, by).Consents, "training"); got != want || word().Said() != want {
				t.Errorf("at %v it is allowed: %v, and shown as %+v", s.Clock.Now(), got, word())
			}
			s.Clock.Turn(time.Millisecond)
		}
		if err := s.Keeper.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := give(t, s, by, "training", consent.Yes); err != nil {
			t.Fatal(err)
		}
		if got := now(t, s, by).Consents; !slices.Contains(got, "training") || slices.Contains(got, "training_commercial:"+string(item)) {
			t.Errorf("after another yes %v is allowed", got)
		}
	})
}
