package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"musa"
)

const staffPrefix = "/api/admin/"

// staffRoles are those of the instance, in the order in which they are shown.
var staffRoles = []musa.Role{musa.RoleOperator, musa.RoleCompliance, musa.RoleModerator, musa.RoleSupport}

// noRoute is the answer at an address where there is nothing, and to everybody at one that
// is not theirs to know.
func noRoute() error {
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "no_such_route",
		Public: "There is nothing at this address, or not with this method. See /api/openapi.json."}
}

// roles lists what an actor may do here for others.
func (d *door) roles(ctx context.Context, by musa.Actor) ([]string, error) {
	held := []string{}
	for _, role := range staffRoles {
		switch _, err := d.Accounts.Staff(ctx, by, role); {
		case err == nil:
			held = append(held, string(role))
		case !errors.Is(err, musa.ErrNotFound):
			return nil, err
		}
	}
	return held, nil
}

// staffOnly hides what lies below the prefix before anything of a request is looked at: to
// somebody without a role a wrong body, a missing page and a page of the staff are one.
func (d *door) staffOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, staffPrefix) {
			by, err := actor(r.Context())
			if err != nil {
				d.fail(w, r, noRoute())
				return
			}
			roles, err := d.roles(r.Context(), by)
			if err == nil && len(roles) == 0 {
				err = noRoute()
			}
			if err != nil {
				d.fail(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// serveAs is serve for the staff: the actor acts in the first of the roles that they hold,
// and to who holds none of them the address does not exist.
func serveAs[In, Out any](d *door, roles func() []musa.Role, f func(context.Context, musa.Actor, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return serve(d, func(ctx context.Context, by musa.Actor, in *In) (*Out, error) {
		as, err := d.as(ctx, by, roles())
		if err != nil {
			return nil, err
		}
		return f(ctx, as, in)
	})
}

func (d *door) as(ctx context.Context, by musa.Actor, roles []musa.Role) (musa.Actor, error) {
	for _, role := range roles {
		as, err := d.Accounts.Staff(ctx, by, role)
		if !errors.Is(err, musa.ErrNotFound) {
			return as, err
		}
	}
	return musa.Actor{}, noRoute()
}

// operators look at how the studio runs; they open nobody's content.
func operators() []musa.Role { return []musa.Role{musa.RoleOperator} }

// overseers look at what it promised, too.
func overseers() []musa.Role { return []musa.Role{musa.RoleOperator, musa.RoleCompliance} }

// custodians are whom the policy in force names for holds.
func (d *door) custodians() []musa.Role {
	if role := d.Policy().Holds.Role; role != "" {
		return []musa.Role{musa.Role(role)}
	}
	return []musa.Role{musa.RoleCompliance} // who then hears that there are none
}
