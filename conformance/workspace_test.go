package conformance_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/conformance"
	"musa/musatest"
)

// TestWorkspaces: an organisation settles what counts for all in it. Promise C-35.
func TestWorkspaces(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores, Policy: "conversational"})
			boss, hand := s.Member(), s.Member()
			s.SetTier(boss, musa.TierPaid)
			var ws api.Workspace
			boss.Want(http.StatusCreated, boss.Do(http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier Nord"}), &ws)
			at := "/api/workspaces/" + ws.ID
			boss.Want(http.StatusAccepted, boss.Do(http.MethodPost, at+"/invitations", musatest.Order{"email": hand.Email, "role": "editor"}), nil)
			secret := s.Secret(hand.Email)
			boss.Problem(http.StatusGone, boss.Do(http.MethodPost, "/api/invitations/accept", musatest.Order{"secret": secret})) // another's
			hand.Want(http.StatusOK, hand.Do(http.MethodPost, "/api/invitations/accept", musatest.Order{"secret": secret, "name": "Jo"}), nil)
			hand.Problem(http.StatusGone, hand.Do(http.MethodPost, "/api/invitations/accept", musatest.Order{"secret": secret}))
			team, edits := boss.At(ws.ID), hand.At(ws.ID)

			conformance.Part(t, "W-14", "roles in a workspace", func(t *testing.T) { ownership(t, s, team.In(t), edits.In(t), hand.In(t)) })
			conformance.Kept(t, "C-35", func(t *testing.T) { enforcement(t, s, boss.In(t), hand.In(t), ws.ID) })
			conformance.Part(t, "W-14", "the last owner stays", func(t *testing.T) { lastOwner(t, s, boss.In(t), hand.In(t), ws.ID) })
			conformance.Part(t, "E-29", "a workspace is erased with a receipt", func(t *testing.T) { disbanded(t, s, boss.In(t), ws.ID) })
		})
	}
}

// ownership: what a member makes is the workspace's, and a closed door from both sides.
func ownership(t *testing.T, s *musatest.Studio, team, edits, hand *musatest.Client) {
	made := edits.Upload("a.png", dot(t), "save", "true")
	mine := hand.Upload("b.png", dot(t), "save", "true")
	team.Want(http.StatusOK, team.Do(http.MethodGet, "/api/assets/"+made.ID, nil), nil)
	hand.Problem(http.StatusNotFound, hand.Do(http.MethodGet, "/api/assets/"+made.ID, nil))
	edits.Problem(http.StatusNotFound, edits.Do(http.MethodGet, "/api/assets/"+mine.ID, nil))
	if a := hand.Do(http.MethodGet, "/api/assets/"+made.ID+"/content?workspace="+edits.Workspace, nil); a.Status != http.StatusOK {
		t.Errorf("a picture on a page of the workspace answers %d", a.Status)
	}
	if n := workspaceRows(t, s, "assets WHERE id = '"+made.ID+"' AND author = '"+string(hand.Subject())+"'"); n != 1 {
		t.Errorf("the author of what a member made: %d", n)
	}
}

// enforcement: what is settled counts for all, is seen by all, and cannot be gone around.
func enforcement(t *testing.T, s *musatest.Studio, boss, hand *musatest.Client, id string) {
	team, edits, at := boss.At(id), hand.At(id), "/api/workspaces/"+id
	picture := edits.Upload("a.png", dot(t), "save", "true")
	team.Want(http.StatusOK, team.Do(http.MethodPut, "/api/me/consents", musatest.Order{"training": "yes"}), nil)
	if p := hand.Problem(http.StatusForbidden, hand.Do(http.MethodPatch, at, musatest.Order{"enforced": musatest.Order{"no_training": true}})); p.Code != "member_may_not" {
		t.Errorf("an editor settles things: %s", p.Code)
	}
	team.Want(http.StatusOK, team.Do(http.MethodPut, "/api/me/retention", musatest.Order{"keep": "7d"}), nil)
	team.Want(http.StatusOK, team.Do(http.MethodPut, "/api/assets/"+picture.ID+"/privacy", musatest.Order{"keep": "7d"}), nil)
	var ws api.Workspace
	boss.Want(http.StatusOK, boss.Do(http.MethodPatch, at, musatest.Order{"enforced": musatest.Order{"no_training": true, "shortest_retention": true, "processors": []string{"none"}}}), &ws)
	hand.Want(http.StatusOK, hand.Do(http.MethodGet, at, nil), &ws)
	e := ws.Enforced
	if !e.NoTraining || !e.Shortest || e.Processors == nil || len(e.Processors) != 0 || e.SetBy != string(boss.Subject()) || ws.Name != "Atelier Nord" {
		t.Errorf("members see %+v", ws)
	}
	if p := team.Problem(http.StatusForbidden, team.Do(http.MethodPut, "/api/me/consents", musatest.Order{"training": "yes"})); p.Code != "enforced" {
		t.Errorf("a yes to training answers %s", p.Code)
	}
	if n := workspaceRows(t, s, "subjects WHERE id = '"+id+"' AND objections LIKE '%train%'"); n != 1 {
		t.Error("what was agreed to before still counts")
	}
	if p := team.Problem(http.StatusForbidden, team.Do(http.MethodPut, "/api/me/retention", musatest.Order{"keep": "7d"})); p.Code != "enforced" {
		t.Errorf("a longer time answers %s", p.Code)
	}
	s.Clock.Turn(48*time.Hour - time.Second)
	team.Want(http.StatusOK, team.Do(http.MethodGet, "/api/assets/"+picture.ID+"/content", nil), nil)
	s.Clock.Turn(time.Second)
	team.Problem(http.StatusGone, team.Do(http.MethodGet, "/api/assets/"+picture.ID+"/content", nil))
	if p := boss.Problem(http.StatusForbidden, boss.Do(http.MethodPatch, at, musatest.Order{"enforced": musatest.Order{"region": "eu"}})); p.Code != "enforce_unlisted" {
		t.Errorf("a region where the policy has none answers %s", p.Code)
	}
	var w api.Workspace
	if boss.Want(http.StatusOK, boss.Do(http.MethodGet, at, nil), &w); !w.Agreement {
		t.Error("the workspace does not say that there is an agreement")
	}
	for tongue, article := range map[string]string{"en": "art. 28(3)", "de": "Art. 28 Abs. 3"} {
		a := boss.Do(http.MethodGet, at+"/agreement?lang="+tongue, nil)
		if a.Status != http.StatusOK || !strings.Contains(string(a.Body), article) || !strings.Contains(string(a.Body), "organisation.may_enforce") {
			t.Errorf("the agreement (%s) answers %d: %.200s", tongue, a.Status, a.Body)
		}
	}
}

// lastOwner: of two owners who leave at the same moment one stays.
func lastOwner(t *testing.T, s *musatest.Studio, boss, hand *musatest.Client, id string) {
	at := "/api/workspaces/" + id + "/members/"
	first, second := string(boss.Subject()), string(hand.Subject())
	if p := boss.Problem(http.StatusConflict, boss.Do(http.MethodDelete, at+first, nil)); p.Code != "last_owner" {
		t.Errorf("the last owner leaves: %s", p.Code)
	}
	boss.Want(http.StatusNoContent, boss.Do(http.MethodPatch, at+second, musatest.Order{"role": "owner"}), nil)
	var wait sync.WaitGroup
	status := make([]int, 2)
	for i, c := range []*musatest.Client{boss, hand} {
		who := []string{first, second}[i]
		wait.Go(func() { status[i] = c.Do(http.MethodDelete, at+who, nil).Status })
	}
	wait.Wait()
	if n := workspaceRows(t, s, "members WHERE workspace = '"+id+"' AND role = 'owner'"); n != 1 {
		t.Errorf("%d owners are left, the answers were %v", n, status)
	}
	gone, stays := second, boss
	if status[0] == http.StatusNoContent {
		gone, stays = first, hand
	}
	if n := workspaceRows(t, s, "assets WHERE owner = '"+id+"' AND author = '"+gone+"'"); n != 0 {
		t.Errorf("%d things still name who left", n)
	}
	if stays != boss { // the owner that the rest of the test goes on with
		seat(t, s, musa.SubjectID(id), musa.SubjectID(first), musa.MemberOwner)
	}
}

// disbanded: deletion is an erasure like an account's.
func disbanded(t *testing.T, s *musatest.Studio, boss *musatest.Client, id string) {
	var c api.Closing
	if p := boss.Problem(http.StatusForbidden, boss.Do(http.MethodDelete, "/api/workspaces/"+id, nil)); p.Code != "prove_first" {
		t.Errorf("an old session deletes it: %s", p.Code)
	}
	boss.Want(http.StatusNoContent, boss.Do(http.MethodPost, "/api/me/prove", musatest.Order{"password": musatest.Password}), nil)
	boss.Want(http.StatusAccepted, boss.Do(http.MethodDelete, "/api/workspaces/"+id, nil), &c)
	s.Clock.Turn(time.Duration(c.Erased.Sub(s.Clock.Now())) + time.Second)
	s.Step()
	if n := workspaceRows(t, s, "members WHERE workspace = '"+id+"'") + workspaceRows(t, s, "workspaces WHERE subject = '"+id+"'") +
		workspaceRows(t, s, "subject_keys WHERE subject = '"+id+"' AND length(wrapped) > 0"); n != 0 {
		t.Errorf("%d rows of it are left", n)
	}
	nobody := &musatest.Client{T: t, Base: s.URL}
	var r api.Receipt
	nobody.Want(http.StatusOK, nobody.Do(http.MethodGet, "/api/receipts/"+c.Receipt+"?key="+c.Capability, nil), &r)
	if r.Statement.Item != id {
		t.Errorf("the receipt is about %s", r.Statement.Item)
	}
}

// workspaceRows counts what a query of its own finds.
func workspaceRows(t *testing.T, s *musatest.Studio, query string) (n int) {
	t.Helper()
	if err := s.DB.SQL().QueryRow("SELECT COUNT(*) FROM " + query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
