package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

// Logins is how somebody gets into their account.
type Logins struct {
	Logins   []Login `json:"logins"`
	Recovery int     `json:"recovery" doc:"How many recovery codes are left."`
}

// Login is one way in.
type Login struct {
	ID      string `json:"id"`
	Kind    string `json:"kind" enum:"password,passkey,provider,totp"`
	Name    string `json:"name,omitempty" doc:"What you called a passkey, or the provider."`
	Created Time   `json:"created"`
	Used    Time   `json:"used" doc:"Null for never."`
}

// TOTP is an authenticator app that waits for its first code.
type TOTP struct {
	Secret string `json:"secret" doc:"Shown once, to type."`
	URI    string `json:"uri" doc:"The same as otpauth://, for a QR code."`
	Until  Time   `json:"until"`
}

// Codes are recovery codes.
type Codes struct {
	Codes []string `json:"codes" doc:"Shown once. Each works once."`
}

type loginPath struct {
	ID string `path:"id"`
}

type codeIn struct {
	Body struct {
		Code string `json:"code" maxLength:"64"`
	}
}

type factorIn struct {
	Body struct {
		Factor string `json:"factor" maxLength:"200" doc:"What the first half of the sign-in gave."`
		Code   string `json:"code" maxLength:"64" doc:"Of the authenticator app, or a recovery code."`
	}
}

func (d *door) factors() {
	huma.Register(d.api, huma.Operation{OperationID: "list-logins", Method: http.MethodGet, Path: "/api/me/logins",
		Summary: "Your ways to sign in", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.listLogins))
	huma.Register(d.api, huma.Operation{OperationID: "drop-login", Method: http.MethodDelete, Path: "/api/me/logins/{id}",
		Summary: "End a way to sign in, but never the last", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.dropLogin))
	huma.Register(d.api, huma.Operation{OperationID: "begin-totp", Method: http.MethodPost, Path: "/api/me/totp",
		Summary: "Begin to set up an authenticator app; nothing changes before its first code", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.beginTOTP))
	huma.Register(d.api, huma.Operation{OperationID: "confirm-totp", Method: http.MethodPost, Path: "/api/me/totp/confirm",
		Summary: "Switch the authenticator app on with its first code", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.confirmTOTP))
	huma.Register(d.api, huma.Operation{OperationID: "drop-totp", Method: http.MethodDelete, Path: "/api/me/totp",
		Summary: "Switch the authenticator app off, with its recovery codes", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.dropTOTP))
	huma.Register(d.api, huma.Operation{OperationID: "renew-codes", Method: http.MethodPost, Path: "/api/me/totp/codes",
		Summary: "Make new recovery codes; the former work no more", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.renewCodes))
	huma.Register(d.api, huma.Operation{OperationID: "second-factor", Method: http.MethodPost, Path: "/api/session/factor",
		Summary: "Bring the second factor of a sign-in", Metadata: open}, d.secondFactor)
}

func (d *door) listLogins(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Logins], error) {
	l, err := d.Accounts.Logins(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Logins{Logins: []Login{}, Recovery: l.Recovery}
	for _, w := range l.Ways {
		out.Logins = append(out.Logins, Login{ID: string(w.ID), Kind: string(w.Kind), Name: w.Name, Created: timeOf(w.Created), Used: timeOf(w.Used)})
	}
	return &body[Logins]{out}, nil
}

func (d *door) dropLogin(ctx context.Context, by musa.Actor, in *loginPath) (*struct{}, error) {
	id, err := musa.ParseLoginID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.DropLogin(ctx, by, id)
}

func (d *door) beginTOTP(ctx context.Context, by musa.Actor, _ *nothingIn) (*body[TOTP], error) {
	t, err := d.Accounts.BeginTOTP(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[TOTP]{TOTP{Secret: t.Secret, URI: t.URL, Until: timeOf(t.Until)}}, nil
}

func (d *door) confirmTOTP(ctx context.Context, by musa.Actor, in *codeIn) (*body[Codes], error) {
	codes, err := d.Accounts.ConfirmTOTP(ctx, by, in.Body.Code)
	if err != nil {
		return nil, err
	}
	return &body[Codes]{Codes{codes}}, nil
}

func (d *door) dropTOTP(ctx context.Context, by musa.Actor, _ *struct{}) (*struct{}, error) {
	return nil, d.Accounts.DropTOTP(ctx, by)
}

func (d *door) renewCodes(ctx context.Context, by musa.Actor, _ *nothingIn) (*body[Codes], error) {
	codes, err := d.Accounts.RenewRecovery(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[Codes]{Codes{codes}}, nil
}

func (d *door) secondFactor(ctx context.Context, in *factorIn) (*entryOut, error) {
	return d.entered(ctx)(d.Accounts.Factor(ctx, in.Body.Factor, in.Body.Code, visitor(ctx)))
}
