package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"musa"
	"musa/account"
	"musa/api"
	"musa/audit"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policies"
	"musa/policy"
	"musa/retention"
)

// scene is what a script plays in: a studio, its people and their things by name.
type scene struct {
	*testscript.TestScript // of the command that runs
	*musatest.Studio
	tb       testing.TB
	on       musatest.Stores
	not      bool // the command was negated
	begin    time.Time
	people   map[string]*guestOf
	things   map[string]thing
	officers []musa.Actor
	holds    map[string]musa.HoldID
}

type guestOf struct {
	*musatest.Client
	id   musa.SubjectID
	away bool
}

type thing struct {
	owner string
	id    string
}

// report is a testing.TB that ends the script with the line that failed.
type report struct {
	testing.TB
	s *scene
}

func (r report) Fatal(args ...any)                 { r.s.TestScript.Fatalf("%v", args) }
func (r report) Fatalf(format string, args ...any) { r.s.TestScript.Fatalf(format, args...) }

func (s *scene) open(name string) {
	s.Studio = musatest.New(s.tb, musatest.Rig{Stores: s.on, Policy: name})
	s.Studio.T = report{s.tb, s}
	s.begin = s.Clock.Now()
	s.people, s.things, s.holds = map[string]*guestOf{}, map[string]thing{}, map[string]musa.HoldID{}
}

var operator = musa.Actor{Role: musa.RoleOperator}

// who is somebody in the scene; a tier's name is somebody of that tier.
func (s *scene) who(name string) *guestOf {
	if g, ok := s.people[name]; ok {
		return g
	}
	if name != "guest" && name != "member" && name != "paid" {
		s.TestScript.Fatalf("nobody is called %s: say person %s TIER", name, name)
	}
	return s.join(name, name)
}

func (s *scene) join(name, tier string) *guestOf {
	g := &guestOf{Client: s.Guest()}
	var me api.Me
	g.Want(http.StatusOK, g.Do(http.MethodGet, "/api/me", nil), &me)
	g.id = musa.SubjectID(me.Subject)
	s.people[name] = g
	if tier != "guest" {
		s.become(name, tier)
	}
	return g
}

func (s *scene) become(name, tier string) {
	_, err := s.Keeper.Change(context.Background(), operator, s.who(name).id, retention.Change{Tier: musa.Tier(tier)})
	s.Check(err)
}

func (s *scene) actor(name string) musa.Actor {
	a, err := s.Accounts.Identify(context.Background(), s.who(name).Token, account.Visitor{})
	s.Check(err)
	return a
}

func (s *scene) upload(who, what string, saved bool) {
	fields := []string{"save", strconv.FormatBool(saved)}
	a := s.who(who).Upload("photo.png", photos.Read(s.tb, "chelsea.png"), fields...)
	s.things[what] = thing{who, a.ID}
}

func (s *scene) work(who, what, from string) {
	s.things[what] = thing{who, s.who(who).Made(s.thing(from).id, musatest.Order{"prompt": "make it warmer"}).ID}
}

func (s *scene) thing(name string) thing {
	it, ok := s.things[name]
	if !ok {
		s.TestScript.Fatalf("nothing is called %s", name)
	}
	return it
}

// visits is how often people look in while the clock is turned, so that a session ends by
// nobody's absence. Who is away does not.
const visits = 5 * day

// turn sets the clock to a time after the scene's beginning, or to seconds beside it.
func (s *scene) turn(span string, seconds int) {
	to := s.begin
	for _, part := range regexp.MustCompile(`\d+(mo|[smhdy])`).FindAllString(span, -1) {
		p, err := policy.ParseSpan(part)
		s.Check(err)
		to = p.After(musa.At(to)).Time()
	}
	to = to.Add(time.Duration(seconds) * time.Second)
	if !to.After(s.Clock.Now()) {
		s.TestScript.Fatalf("%s is not later than now", span)
	}
	for s.Clock.Now().Before(to) {
		s.Clock.Turn(min(visits, to.Sub(s.Clock.Now())))
		for _, g := range s.people {
			if !g.away {
				g.Do(http.MethodGet, "/api/me", nil)
			}
		}
	}
}

// clean does what retention does all the time.
func (s *scene) clean() {
	s.Check(s.Keeper.Reckon(context.Background()))
	s.Check(s.Keeper.Sweep(context.Background()))
	s.Step()
}

// present looks before and after retention has run.
func (s *scene) present(what string) {
	it := s.thing(what)
	g := s.who(it.owner)
	g.Want(http.StatusOK, g.Content(it.id), nil)
	s.clean()
	g.Want(http.StatusOK, g.Content(it.id), nil)
}

// absent looks at the very moment, before retention has run, and after it that neither key
// nor bytes are left.
func (s *scene) absent(what string) {
	it := s.thing(what)
	g := s.who(it.owner)
	if status := g.Content(it.id).Status; status != http.StatusGone && status != http.StatusUnauthorized {
		s.TestScript.Fatalf("%s answers %d", what, status)
	}
	s.clean()
	for _, table := range []string{"secrets WHERE id", "blobs WHERE asset"} {
		if n := s.count("SELECT COUNT(*) FROM " + table + " = '" + it.id + "'"); n != 0 {
			s.TestScript.Fatalf("%s left %d rows: %s", what, n, table)
		}
	}
}

func (s *scene) count(query string) (n int) {
	s.Check(s.DB.SQL().QueryRow(query).Scan(&n))
	return n
}

// receipt proves itself without the server, and names the rule.
func (s *scene) receipt(what, rule string) {
	it := s.thing(what)
	g := s.who(it.owner)
	a := g.Asset(it.id)
	var r api.Receipt
	for end := time.Now().Add(5 * time.Second); !r.Logged; s.clean() {
		ans := g.Do(http.MethodGet, "/api/receipts/"+a.Receipt, nil)
		if ans.Status == http.StatusOK {
			s.Check(json.Unmarshal(ans.Body, &r))
		}
		if time.Now().After(end) {
			s.TestScript.Fatalf("no receipt is in the log: %s", ans.Body)
		}
	}
	if _, err := audit.VerifyReceipt(r.Receipt, r.Verifier); err != nil {
		s.TestScript.Fatalf("the receipt does not prove itself: %v", err)
	}
	if r.Statement.Item != it.id || !strings.Contains(r.Statement.Rule, rule) {
		s.TestScript.Fatalf("the receipt says %+v", r.Statement)
	}
}

func (s *scene) told(what, words string) {
	it := s.thing(what)
	if a := s.who(it.owner).Asset(it.id); !strings.Contains(a.EndsText+" "+a.EndsRule, words) {
		s.TestScript.Fatalf("its owner is told: %s (%s)", a.EndsText, a.EndsRule)
	}
}

// choose picks a time in the settings; negated, the server refuses with these words.
func (s *scene) choose(args []string) {
	span, err := policy.ParseSpan(args[1])
	s.Check(err)
	choice := span.Duration()
	_, err = s.Keeper.Change(context.Background(), s.actor(args[0]), s.who(args[0]).id, retention.Change{Choice: &choice})
	if !s.not {
		s.Check(err)
		return
	}
	var p *musa.Problem
	if !errors.As(err, &p) || !errors.Is(err, musa.ErrRefused) || (len(args) == 3 && !strings.Contains(p.Public, args[2])) {
		s.TestScript.Fatalf("the server answers: %v", err)
	}
}

// offered compares what the settings offer for results; nothing but a name: no choice.
func (s *scene) offered(who string, want []string) {
	set, err := s.Keeper.Settings(context.Background(), s.actor(who))
	s.Check(err)
	var got []string
	for _, o := range set.Offers {
		if !slices.Contains(o.Categories, musa.CategoryOutput) {
			continue
		}
		got = append(got, o.Default.String())
		for _, c := range o.Choices {
			got = append(got, c.String())
		}
	}
	if !slices.Equal(got, want) {
		s.TestScript.Fatalf("offered: %v", got)
	}
}

// warned looks for the notice that something will end sooner.
func (s *scene) warned(who string) {
	set, err := s.Keeper.Settings(context.Background(), s.actor(who))
	s.Check(err)
	if (len(set.Notices) > 0) == s.not {
		s.TestScript.Fatalf("notices: %+v", set.Notices)
	}
}

func (s *scene) publish(file string) {
	doc, err := policies.Load("./"+file, func(name string) ([]byte, error) {
		return os.ReadFile(s.MkAbs(name))
	})
	s.Check(err)
	if err := s.House.Publish(context.Background(), doc); (err != nil) != s.not {
		s.TestScript.Fatalf("publishing: %v", err)
	}
}

// version asks which one decides now, at the public door.
func (s *scene) version(ref string) {
	ans := s.who("guest").Do(http.MethodGet, "/api/policy", nil)
	if in := s.InForce().Ref(); in != ref || !strings.Contains(string(ans.Body), strings.SplitN(ref, "/", 2)[1]) {
		s.TestScript.Fatalf("%s decides, and the door says: %.200s", in, ans.Body)
	}
}
