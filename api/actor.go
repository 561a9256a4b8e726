package api

import (
	"context"
	"net/http"
	"strings"

	"musa"
)

const sessionCookie = "musa_session"

type actorKey struct{}

// standing is what a request's credentials came to: an actor, or why not.
type standing struct {
	actor musa.Actor
	err   error
}

// admit identifies whoever asks, once, before any route. A route that needs nobody does not
// care what came of it.
func (d *door) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s standing
		if token := credential(r); token != "" {
			s.actor, s.err = d.Accounts.Identify(r.Context(), token)
		} else {
			s.err = musa.ErrUnauthorized
		}
		h := w.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, s)))
	})
}

// actor names who acts, or says why nobody does.
func actor(ctx context.Context) (musa.Actor, error) {
	s, ok := ctx.Value(actorKey{}).(standing)
	if !ok {
		return musa.Actor{}, musa.ErrUnauthorized
	}
	return s.actor, s.err
}

func credential(r *http.Request) string {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(token)
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		return c.Value
	}
	return ""
}

// serve is the one wrapper of typed operations: it names the actor and turns errors into
// problems.
func serve[In, Out any](d *door, f func(context.Context, musa.Actor, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, d.judge(ctx, err)
		}
		out, err := f(ctx, by, in)
		if err != nil {
			return nil, d.judge(ctx, err)
		}
		return out, nil
	}
}
