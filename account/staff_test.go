package account_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/account"
	"musa/musatest"
)

// Somebody who works for the instance acts in the roles that they hold and the policy lists,
// until they are taken back; their token lies nowhere, and ends when it is not used.
func TestStaff(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			s := musatest.New(t, musatest.Rig{Stores: stores})
			ctx, a := t.Context(), s.Accounts
			added, err := a.AddStaff(ctx, musa.RoleCompliance)
			if err != nil {
				t.Fatal(err)
			}
			if found := musatest.Find(t, s.Dirs, musatest.Markers{"token": []byte(strings.TrimPrefix(added.Token, "musa_"))}); len(found) > 0 {
				t.Errorf("the token lies in clear: %v", found)
			}
			if found := musatest.Find(t, s.Dirs, musatest.Markers{"id": []byte(added.Subject)}); len(found) == 0 {
				t.Error("the look does not find even the person's id")
			}
			by, err := a.Identify(ctx, added.Token, account.Visitor{})
			if err != nil {
				t.Fatal(err)
			}
			acts := func(role musa.Role, want error) {
				t.Helper()
				got, err := a.Staff(ctx, by, role)
				if !errors.Is(err, want) || (want == nil && (got.Role != role || got.Subject != added.Subject)) {
					t.Errorf("acting as %s: %+v, %v; want %v", role, got, err, want)
				}
			}
			acts(musa.RoleCompliance, nil)
			acts(musa.RoleOperator, musa.ErrNotFound)
			if err := a.GiveRole(ctx, added.Subject, musa.RoleOperator); err != nil {
				t.Fatal(err)
			}
			acts(musa.RoleOperator, nil)
			if err := a.RevokeRole(ctx, added.Subject, musa.RoleCompliance); err != nil {
				t.Fatal(err)
			}
			acts(musa.RoleCompliance, musa.ErrNotFound)
			if list, err := a.AllStaff(ctx); err != nil || len(list) != 1 || len(list[0].Roles) != 1 || list[0].Roles[0] != musa.RoleOperator {
				t.Errorf("listed are %+v, %v", list, err)
			}
			if err := a.RemoveStaff(ctx, added.Subject); err != nil {
				t.Fatal(err)
			}
			acts(musa.RoleOperator, musa.ErrNotFound)
			if _, err := a.Identify(ctx, added.Token, account.Visitor{}); !errors.Is(err, musa.ErrUnauthorized) {
				t.Errorf("after the removal the token is answered with %v", err)
			}
			if err := a.RemoveStaff(ctx, added.Subject); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("removing them twice is answered with %v", err)
			}
		})
	}
}

// A role that the policy does not list is refused, with those that it lists; a guest holds none.
func TestRolesThatThePolicyDoesNotList(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	var p *musa.Problem
	if _, err := s.Accounts.AddStaff(t.Context(), "janitor"); !errors.Is(err, musa.ErrRefused) || !errors.As(err, &p) || !strings.Contains(p.Public, "compliance") {
		t.Errorf("an unlisted role is answered with %v", err)
	}
	g := s.Guest()
	by, err := s.Accounts.Identify(t.Context(), g.Token, account.Visitor{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Accounts.GiveRole(t.Context(), by.Subject, musa.RoleCompliance); !errors.Is(err, musa.ErrRefused) {
		t.Errorf("a guest was given a role: %v", err)
	}
}

// An unused session of staff ends after its time, as everybody's; a used one goes on.
func TestStaffSessionsEnd(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	added, err := s.Accounts.AddStaff(t.Context(), musa.RoleCompliance)
	if err != nil {
		t.Fatal(err)
	}
	c := &musatest.Client{T: t, Base: s.URL, Token: added.Token}
	for _, step := range []struct {
		turn time.Duration
		want int
	}{{30*24*time.Hour - time.Second, http.StatusOK}, {30*24*time.Hour - time.Second, http.StatusOK}, {30 * 24 * time.Hour, http.StatusUnauthorized}} {
		s.Clock.Turn(step.turn)
		if got := c.Do(http.MethodGet, "/api/me", nil); got.Status != step.want || bytes.Contains(got.Body, []byte(added.Token)) {
			t.Errorf("after %s more it is answered with %d %s, want %d", step.turn, got.Status, got.Body, step.want)
		}
	}
}
