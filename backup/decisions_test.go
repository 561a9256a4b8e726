package backup_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/api"
	"musa/backup"
	"musa/db"
	"musa/house"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
	"musa/rights"
)

// What people and staff decided after the copy counts again when it is restored: each no, not
// the last alone, restrictions and objections and those that were taken back, what a workspace
// settled and who may do what in it, suspensions, another address. Nothing that somebody ended
// lets anybody in.
func TestARestoreTakesDecisionsAgain(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keepUnder(t, stores, "conversational")
			p := k.peopled()
			k.made()
			p.decide()
			if err := k.Archive.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := k.fresh(t, stores)
			if out := restored(t, r); out.Repeat != 11 {
				t.Errorf("%d decisions were taken again, want 11", out.Repeat)
			}
			for what, query := range map[string]string{
				"standings":   "SELECT id || ' ' || state || ' ' || consents || ' ' || objections || ' ' || CASE WHEN restricted > 0 THEN 'r' ELSE '' END || CASE WHEN unlogged > 0 THEN 'u' ELSE '' END FROM subjects",
				"cases":       "SELECT id || ' ' || kind || ' ' || purpose || ' ' || state || ' ' || outcome FROM cases WHERE kind IN ('restriction', 'objection')",
				"memberships": "SELECT workspace || ' ' || subject || ' ' || role FROM members",
				"settings":    "SELECT subject || ' ' || processors || ' ' || CASE WHEN no_training > 0 THEN 'no' ELSE '' END FROM workspaces",
				"suspensions": "SELECT subject || ' ' || clause || ' ' || CAST(at AS TEXT) || ' ' || CAST(due AS TEXT) || ' ' || staff FROM suspensions",
			} {
				if want, got := lines(t, k.DB, query), lines(t, r.DB, query); !slices.Equal(want, got) {
					t.Errorf("%s:\nwere %q\nare  %q", what, want, got)
				}
			}
			if want, got := table(t, k.DB, "addresses"), table(t, r.DB, "addresses"); !slices.Equal(want, got) {
				t.Errorf("addresses:\nwere %q\nare  %q", want, got)
			}
			const ways = "SELECT id FROM logins UNION ALL SELECT id FROM api_keys UNION ALL SELECT id FROM vouchers UNION ALL SELECT id FROM sessions"
			there := lines(t, k.DB, ways)
			for _, id := range lines(t, r.DB, ways) {
				if !slices.Contains(there, id) {
					t.Errorf("%s was ended, and lets somebody in again", id)
				}
			}
			p.moved(t, r)
		})
	}
}

func keepUnder(t *testing.T, stores musatest.Stores, policy string) *kept {
	t.Helper()
	k := keep(t, stores)
	target := k.target
	k = &kept{target: target, dir: k.dir}
	k.Studio = musatest.New(t, musatest.Rig{Stores: stores, Policy: policy, Backup: house.Backup{Target: target, Name: "bt_test"}})
	return k
}

// lines asks a database for one column of text, sorted.
func lines(t *testing.T, d *db.DB, query string) (list []string) {
	t.Helper()
	rows, err := d.SQL().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

// people are those who decide something after the copy.
type people struct {
	*kept
	no, careful, objects, lifts, boss, hand, aside, back, moves *musatest.Client
	staff                                                       musa.Actor
	ws, lifted, key                                             string
}

func (k *kept) peopled() *people {
	k.T.Helper()
	p := &people{kept: k, no: k.Member(), careful: k.Member(), objects: k.Member(), lifts: k.Member(), boss: k.Member(),
		hand: k.Member(), aside: k.Member(), back: k.Member(), moves: k.Member()}
	added, err := k.Accounts.AddStaff(k.T.Context(), musa.RoleOperator)
	if err != nil {
		k.T.Fatal(err)
	}
	p.staff = musa.Actor{Subject: added.Subject, Role: musa.RoleOperator}
	p.said(p.no, http.MethodPut, "/api/me/consents", musatest.Order{"training": "yes", "marketing": "yes", "preferences": "yes"}, nil)
	p.lifted = p.asked(p.lifts, "restriction", "")
	k.SetTier(p.boss, musa.TierPaid)
	var ws api.Workspace
	p.said(p.boss, http.MethodPost, "/api/workspaces", musatest.Order{"name": "Atelier Nord"}, &ws)
	p.ws = ws.ID
	p.said(p.boss, http.MethodPost, "/api/workspaces/"+p.ws+"/invitations", musatest.Order{"email": p.hand.Email, "role": "admin"}, nil)
	p.said(p.hand, http.MethodPost, "/api/invitations/accept", musatest.Order{"secret": k.Secret(p.hand.Email), "name": "Jo"}, nil)
	p.said(p.boss.At(p.ws), http.MethodPut, "/api/me/consents", musatest.Order{"training": "yes"}, nil)
	p.suspended(p.back)
	var made struct {
		ID string `json:"id"`
	}
	p.said(p.moves, http.MethodPost, "/api/me/keys", musatest.Order{"name": "script", "scopes": []string{"read"}}, &made)
	p.key = made.ID
	p.said(p.moves, http.MethodPost, "/api/me/address", musatest.Order{"email": "moved-" + p.moves.Email}, nil)
	k.Clock.Turn(time.Second)
	return p
}

// said sends a request that has to succeed.
func (p *people) said(c *musatest.Client, method, path string, body musatest.Order, out any) {
	p.T.Helper()
	a := c.Do(method, path, body)
	if a.Status >= 300 {
		p.T.Fatalf("%s %s answers %d: %s", method, path, a.Status, a.Body)
	}
	if out != nil {
		c.Want(a.Status, a, out)
	}
}

func (p *people) asked(c *musatest.Client, right, purpose string) string {
	p.T.Helper()
	var out api.Request
	p.said(c, http.MethodPost, "/api/rights", musatest.Order{"right": right, "purpose": purpose, "words": "please"}, &out)
	return out.ID
}

func (p *people) suspended(c *musatest.Client) {
	p.T.Helper()
	if _, err := p.Rights.Suspend(p.T.Context(), p.staff, rights.Decision{Subject: c.Subject(), Reason: "a report"}); err != nil {
		p.T.Fatal(err)
	}
}

// decide is what happens after the copy. Each step is an instant of its own.
func (p *people) decide() {
	p.T.Helper()
	for _, step := range []func(){
		func() { p.said(p.no, http.MethodPut, "/api/me/consents", musatest.Order{"training": "no"}, nil) },
		func() { p.said(p.no, http.MethodPut, "/api/me/consents", musatest.Order{"marketing": "no"}, nil) },
		func() { p.asked(p.careful, "restriction", "") },
		func() {
			id := p.asked(p.objects, "objection", "secure")
			if _, err := p.Rights.Answer(p.T.Context(), p.staff, musa.CaseID(id), "you are right"); err != nil {
				p.T.Fatal(err)
			}
		},
		func() { p.said(p.lifts, http.MethodDelete, "/api/rights/"+p.lifted, nil, nil) },
		func() {
			p.said(p.boss, http.MethodPatch, "/api/workspaces/"+p.ws+"/members/"+string(p.hand.Subject()), musatest.Order{"role": "editor"}, nil)
		},
		func() {
			p.said(p.boss, http.MethodPatch, "/api/workspaces/"+p.ws+"/members/"+string(p.hand.Subject()), musatest.Order{"role": "viewer"}, nil)
		},
		func() {
			p.said(p.boss, http.MethodPatch, "/api/workspaces/"+p.ws, musatest.Order{"enforced": musatest.Order{"no_training": true, "processors": []string{"none"}}}, nil)
		},
		func() { p.suspended(p.aside) },
		func() {
			if err := p.Rights.Restore(p.T.Context(), p.staff, rights.Decision{Subject: p.back.Subject(), Reason: "it was wrong"}); err != nil {
				p.T.Fatal(err)
			}
		},
		func() { p.said(p.moves, http.MethodDelete, "/api/me/keys/"+p.key, nil, nil) },
		func() {
			p.said(p.moves, http.MethodPost, "/api/me/address/confirm", musatest.Order{"secret": p.Secret("moved-" + p.moves.Email)}, nil)
		},
	} {
		step()
		p.Clock.Turn(time.Second)
	}
}

// moved looks whether the profile of the account that has another address says so, too.
func (p *people) moved(t *testing.T, r backup.Restore) {
	t.Helper()
	c := p.Config
	c.DB, c.Blobs = r.DB, r.Blobs
	h, err := house.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.Accounts.Person(t.Context(), musa.Actor{Subject: p.moves.Subject(), Tier: musa.TierMember, Role: musa.RoleSubject})
	if err != nil || got.Email != "moved-"+p.moves.Email {
		t.Errorf("the profile of who moved: %v, %v", got.Email == p.moves.Email, err)
	}
}

// What was said and decided while a copy was being made may be in one of its tables and not in
// another. A restore makes one state of it.
func TestARestoreMendsWhatWasSaidMeanwhile(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			p := &people{kept: k, no: k.Member(), aside: k.Member()}
			added, err := k.Accounts.AddStaff(t.Context(), musa.RoleOperator)
			if err != nil {
				t.Fatal(err)
			}
			p.staff = musa.Actor{Subject: added.Subject, Role: musa.RoleOperator}
			k.Clock.Turn(time.Second)
			var once sync.Once
			inForce := k.Archive.Policy
			k.Archive.Policy = func() *policy.Document { // asked between the copy's moment and its first table
				once.Do(func() {
					k.Clock.Turn(time.Second)
					p.said(p.no, http.MethodPut, "/api/me/consents", musatest.Order{"marketing": "yes"}, nil)
					p.suspended(p.aside)
				})
				return inForce()
			}
			k.made()
			k.Clock.Turn(time.Second)
			if err := k.Archive.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := k.fresh(t, stores)
			restored(t, r)
			if got := lines(t, r.DB, "SELECT id FROM subjects WHERE consents <> ''"); len(got) != 0 {
				t.Errorf("%d people allow what the copy does not say that they allowed", len(got))
			}
			if got := lines(t, r.DB, "SELECT s.id FROM subjects AS s JOIN suspensions AS x ON x.subject = s.id WHERE s.state = 'suspended'"); len(got) != 1 {
				t.Errorf("%d people are set aside, want 1", len(got))
			}
		})
	}
}

// A copy that lay longer than anything may be kept comes back without what ended meanwhile, and
// without faults.
func TestACopyThatLayLong(t *testing.T) {
	t.Parallel()
	k := keep(t, musatest.Embedded)
	photo := photos.Read(t, "astronaut.png")
	m := k.Member()
	gone := m.Upload("a.png", photo, "save", "true")
	m.Made(m.Upload("b.png", photo, "save", "true").ID, nil)
	m.Want(http.StatusAccepted, m.Do(http.MethodDelete, "/api/assets/"+gone.ID, nil), nil)
	k.Clock.Turn(k.InForce().Undo())
	k.Step()
	k.made()
	if err := k.Archive.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.Clock.Turn(100 * 24 * time.Hour)
	restored(t, k.fresh(t, musatest.Embedded))
}
