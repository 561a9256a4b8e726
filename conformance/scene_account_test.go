package conformance_test

import (
	"context"

	"musa"
	"musa/retention"
)

// leave closes an account; its token answers for it until its sessions end.
func (s *scene) leave(who string) {
	_, err := s.Rights.Close(context.Background(), s.actor(who))
	s.Check(err)
	s.who(who).away = true
}

func (s *scene) comeBack(who string) {
	err := s.Rights.Reopen(context.Background(), musa.Actor{Subject: s.who(who).id, Role: musa.RoleSubject})
	if (err != nil) != s.not {
		s.TestScript.Fatalf("reopening: %v", err)
	}
	s.who(who).away = false
}

// account looks whether anything is left of an account: its row and its key.
func (s *scene) account(who string) {
	s.clean()
	id := string(s.who(who).id)
	key := s.count("SELECT COUNT(*) FROM subject_keys WHERE subject = '" + id + "'")
	row := s.count("SELECT COUNT(*) FROM subjects WHERE id = '" + id + "' AND state IN ('active', 'closed')")
	if there := key == 1 && row == 1; there == s.not {
		s.TestScript.Fatalf("of the account of %s: %d keys, %d rows", who, key, row)
	}
}

// hold has a compliance officer hold a picture; negated, it is refused.
func (s *scene) hold(what string) {
	ctx := context.Background()
	for len(s.officers) < 2 {
		staff, err := s.Accounts.AddStaff(ctx, musa.RoleCompliance)
		s.Check(err)
		s.officers = append(s.officers, musa.Actor{Subject: staff.Subject, Role: musa.RoleCompliance})
	}
	h, err := s.Keeper.OpenHold(ctx, s.officers[0], retention.HoldOrder{Asset: musa.AssetID(s.thing(what).id), Reason: "a court asks for it"})
	if (err != nil) != s.not {
		s.TestScript.Fatalf("holding: %v", err)
	}
	if err == nil {
		s.holds[what] = h.ID
	}
}

// held looks whether the officer can still open the held copy.
func (s *scene) held(what string) {
	s.clean()
	c, err := s.Keeper.HeldContent(context.Background(), s.officers[0], s.holds[what], "looking whether it is there")
	if (err == nil) == s.not {
		s.TestScript.Fatalf("the held copy: %v", err)
	}
	if err == nil {
		c.Close()
	}
}

// release takes two officers.
func (s *scene) release(what string) {
	for i, by := range s.officers {
		_, err := s.Keeper.ReleaseHold(context.Background(), by, s.holds[what])
		s.Check(err)
		if i == 0 {
			s.held(what)
		}
	}
}
