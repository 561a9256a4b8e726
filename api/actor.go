package api

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"musa"
	"musa/account"
)

const sessionCookie = "musa_session"

type actorKey struct{}

// standing is what a request's credentials came to: an actor, or why not.
type standing struct {
	actor musa.Actor
	err   error
	from  account.Visitor
}

// admit identifies whoever asks, once, before any route. A route that needs nobody does not
// care what came of it. A key of the API is somebody only on the routes of its scopes.
func (d *door) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := standing{from: visitorOf(r)}
		s.actor, s.err = d.identify(r)
		h := w.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, s)))
	})
}

// identify goes from the credentials to whoever acts on a route. What a request says besides
// (a workspace that it is made for, a signal about its use) changes the actor here.
func (d *door) identify(r *http.Request) (by musa.Actor, err error) {
	token := credential(r)
	switch {
	case token == "":
		err = musa.ErrUnauthorized
	case account.IsKey(token):
		by, err = d.Accounts.Unlock(r.Context(), token, scopeOf(d.ruleFor(r)))
	default:
		by, err = d.Accounts.Identify(r.Context(), token, visitorOf(r))
	}
	if err == nil && !reaches(by, r) {
		err = &musa.Problem{Kind: musa.ErrRefused, Code: "thread_only", Public: "The link from the mail opens that one thread with support, and nothing else."}
	}
	if err != nil {
		return musa.Actor{}, err
	}
	if by, err = d.enter(r, by); err != nil {
		return musa.Actor{}, err
	}
	if r.Header.Get(signalHeader) == "1" {
		return d.Consents.Hear(r.Context(), by)
	}
	return by, nil
}

// reaches says whether a request is about what a session opens: all, or the one thread of a link.
func reaches(by musa.Actor, r *http.Request) bool {
	thread := "/api/support/" + string(by.Thread)
	return by.Thread == "" || r.URL.Path == thread || strings.HasPrefix(r.URL.Path, thread+"/")
}

// actor names who acts, or says why nobody does.
func actor(ctx context.Context) (musa.Actor, error) {
	s, ok := ctx.Value(actorKey{}).(standing)
	if !ok {
		return musa.Actor{}, musa.ErrUnauthorized
	}
	return s.actor, s.err
}

// visitor tells where a request comes from, for sign-in and for counting tries.
func visitor(ctx context.Context) account.Visitor {
	s, _ := ctx.Value(actorKey{}).(standing)
	return s.from
}

func visitorOf(r *http.Request) account.Visitor {
	v := account.Visitor{Agent: r.UserAgent(), Proto: r.Proto}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		v.Addr = at.Addr()
	}
	return v
}

// anybody is the actor, or nobody: for routes that treat visitors and guests alike.
func anybody(ctx context.Context) musa.Actor {
	by, err := actor(ctx)
	if err != nil {
		return musa.Actor{}
	}
	return by
}

// credential is the token of a request. A key comes in the header alone: a browser's cookie is a
// session's.
func credential(r *http.Request) string {
	if token, ok := bearer(r.Header.Get("Authorization")); ok {
		return token
	}
	if c, err := r.Cookie(sessionCookie); err == nil && !account.IsKey(c.Value) {
		return c.Value
	}
	return ""
}

// bearer is the token behind that scheme, which may be written in any case (RFC 9110 § 11.1).
func bearer(header string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(header, " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// streamed is the one wrapper of routes that stream: it names the actor, and answers with a problem
// what fails before the first byte.
func (d *door) streamed(f func(http.ResponseWriter, *http.Request, musa.Actor) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		by, err := actor(r.Context())
		if err == nil {
			err = f(w, r, by)
		}
		if err != nil {
			d.fail(w, r, err)
		}
	}
}

// streamedOf is streamed for something that the path names.
func streamedOf[ID any](d *door, parse func(string) (ID, error), f func(http.ResponseWriter, *http.Request, musa.Actor, ID) error) http.HandlerFunc {
	return d.streamed(func(w http.ResponseWriter, r *http.Request, by musa.Actor) error {
		id, err := parse(r.PathValue("id"))
		if err != nil {
			return err
		}
		return f(w, r, by, id)
	})
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
