package rights_test

import (
	"bytes"
	"net/http"
	"testing"

	"musa"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/retention"
	"musa/rights"
)

// What a person takes along tells all of theirs and names nobody who works here, nor who reported
// them, nor a hold that the law forbids to tell of.
func TestAnExportNamesNobodyElse(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			g := s.Guest()
			a := g.Upload("cat.png", photos.Read(t, "chelsea.png"), "save", "true")
			staff := map[musa.Role]musa.Actor{}
			for _, role := range []musa.Role{musa.RoleOperator, musa.RoleCompliance} {
				added, err := s.Accounts.AddStaff(t.Context(), role)
				must(t, err)
				staff[role] = musa.Actor{Subject: added.Subject, Role: role}
			}
			r := ask(g, http.StatusCreated, musatest.Order{"right": "access", "words": "all of it"})
			_, err := s.Rights.Answer(t.Context(), staff[musa.RoleOperator], musa.CaseID(r.ID), "it is in the export")
			must(t, err)
			hold, err := s.Keeper.OpenHold(t.Context(), staff[musa.RoleCompliance], retention.HoldOrder{Asset: musa.AssetID(a.ID), Reason: "a court", Untold: true})
			must(t, err)
			thread := musa.NewThreadID(s.Clock.Now())
			_, err = s.Rights.Suspend(t.Context(), staff[musa.RoleOperator], rights.Decision{Subject: g.Subject(), Thread: thread, Reason: "a report"})
			must(t, err)

			_, archive := g.Export("/api/me/export")
			for name, data := range archive {
				for what, id := range map[string]string{"the operator": string(staff[musa.RoleOperator].Subject), "the officer": string(staff[musa.RoleCompliance].Subject),
					"the report": string(thread), "the hold": string(hold.ID), "a hold": "hold_opened"} {
					if bytes.Contains(data, []byte(id)) {
						t.Errorf("%s names %s", name, what)
					}
				}
			}
			for file, words := range map[string]string{"case.json": "it is in the export", "audit.json": "account_suspended"} {
				if !bytes.Contains(archive[file], []byte(words)) {
					t.Errorf("%s lacks what is theirs: %s", file, archive[file])
				}
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
