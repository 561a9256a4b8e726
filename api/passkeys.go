package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
)

// Asking is a question for an authenticator.
type Asking struct {
	Flow    string `json:"flow" doc:"Send it back with the answer. It works once."`
	Options any    `json:"options" doc:"For navigator.credentials, as PublicKeyCredential.parse…OptionsFromJSON takes it."`
	Until   Time   `json:"until"`
}

// Newcomer is what a guest says who makes an account; empty for somebody who has one.
type Newcomer struct {
	Country  string `json:"country,omitempty" maxLength:"6"`
	Born     string `json:"born,omitempty" maxLength:"10" doc:"YYYY-MM-DD. Compared, and not kept."`
	Username string `json:"username,omitempty"`
	Profile  string `json:"profile,omitempty"`
}

func (n Newcomer) of(name string) account.Newcomer {
	return account.Newcomer{Origin: account.Origin{Country: n.Country, Born: n.Born},
		Person: account.Person{Name: name, Username: n.Username, Profile: n.Profile}}
}

type passkeyIn struct {
	Body struct {
		Newcomer
		Flow       string          `json:"flow" maxLength:"200"`
		Credential json.RawMessage `json:"credential" doc:"What navigator.credentials gave, as JSON."`
		Name       string          `json:"name,omitempty" maxLength:"200" doc:"Of a guest's account; of another passkey, to know it again."`
	}
}

// nothingIn takes a body and does not look at it.
type nothingIn struct {
	Body *map[string]any `required:"false"`
}

type answerIn struct {
	Body struct {
		Flow       string          `json:"flow" maxLength:"200"`
		Credential json.RawMessage `json:"credential" doc:"What navigator.credentials gave, as JSON."`
	}
}

func (d *door) passkeys() {
	huma.Register(d.api, huma.Operation{OperationID: "begin-passkey", Method: http.MethodPost, Path: "/api/passkeys/begin",
		Summary: "Begin to make a passkey", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.beginPasskey))
	huma.Register(d.api, huma.Operation{OperationID: "finish-passkey", Method: http.MethodPost, Path: "/api/passkeys/finish",
		Summary: "Keep a passkey: another way in, or a guest's account", Security: secured, Metadata: may(musa.ActSelf)}, d.finishPasskey)
	huma.Register(d.api, huma.Operation{OperationID: "begin-passkey-session", Method: http.MethodPost, Path: "/api/session/passkey/begin",
		Summary: "Begin to sign in with a passkey", Metadata: open}, d.beginPasskeySession)
	huma.Register(d.api, huma.Operation{OperationID: "finish-passkey-session", Method: http.MethodPost, Path: "/api/session/passkey/finish",
		Summary: "Sign in with a passkey", Metadata: open}, d.finishPasskeySession)
	huma.Register(d.api, huma.Operation{OperationID: "begin-passkey-proof", Method: http.MethodPost, Path: "/api/me/prove/passkey/begin",
		Summary: "Begin to prove by a passkey that it is you", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.beginPasskeyProof))
	huma.Register(d.api, huma.Operation{OperationID: "finish-passkey-proof", Method: http.MethodPost, Path: "/api/me/prove/passkey/finish",
		Summary: "Prove by a passkey that it is you", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.finishPasskeyProof))
}

func asking(a account.Asking) *body[Asking] {
	return &body[Asking]{Asking{Flow: a.Ceremony, Options: a.Options, Until: timeOf(a.Until)}}
}

func (d *door) beginPasskey(ctx context.Context, by musa.Actor, _ *nothingIn) (*body[Asking], error) {
	a, err := d.Accounts.BeginPasskey(ctx, by)
	if err != nil {
		return nil, err
	}
	return asking(a), nil
}

func (d *door) finishPasskey(ctx context.Context, in *passkeyIn) (*entryOut, error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	p := account.PasskeyAnswer{Ceremony: in.Body.Flow, Credential: in.Body.Credential}
	if by.Tier == musa.TierGuest {
		p.Newcomer = in.Body.of(in.Body.Name)
	} else {
		p.Name = in.Body.Name
	}
	return d.entered(ctx)(d.Accounts.FinishPasskey(ctx, by, p, visitor(ctx)))
}

func (d *door) beginPasskeySession(ctx context.Context, _ *nothingIn) (*body[Asking], error) {
	a, err := d.Accounts.BeginPasskeySignIn(ctx, visitor(ctx))
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return asking(a), nil
}

func (d *door) finishPasskeySession(ctx context.Context, in *answerIn) (*entryOut, error) {
	p := account.PasskeyAnswer{Ceremony: in.Body.Flow, Credential: in.Body.Credential}
	return d.entered(ctx)(d.Accounts.FinishPasskeySignIn(ctx, p, visitor(ctx)))
}

func (d *door) beginPasskeyProof(ctx context.Context, by musa.Actor, _ *nothingIn) (*body[Asking], error) {
	a, err := d.Accounts.BeginPasskeyProof(ctx, by)
	if err != nil {
		return nil, err
	}
	return asking(a), nil
}

func (d *door) finishPasskeyProof(ctx context.Context, by musa.Actor, in *answerIn) (*struct{}, error) {
	return nil, d.Accounts.ProveByPasskey(ctx, by, account.PasskeyAnswer{Ceremony: in.Body.Flow, Credential: in.Body.Credential})
}
