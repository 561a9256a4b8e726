package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
)

// SignUp is what makes an account by e-mail. Which fields are taken stands in the policy.
type SignUp struct {
	Email    string `json:"email" maxLength:"1000"`
	Password string `json:"password" maxLength:"1000" doc:"At least 8 characters, and in no list of stolen passwords."`
	Name     string `json:"name,omitempty" maxLength:"2000"`
	Username string `json:"username,omitempty" maxLength:"2000"`
	Profile  string `json:"profile,omitempty" maxLength:"10000"`
	Language string `json:"language,omitempty" maxLength:"40" doc:"That mails to you are written in: en, de."`
	Country  string `json:"country" maxLength:"10" doc:"Where you live: DE, or a part: US-CA."`
	Born     string `json:"born" maxLength:"40" doc:"Your date of birth: 1990-05-31. It is compared and not kept."`
}

// Fields are what an account is asked for here.
type Fields struct {
	Required []string `json:"required"`
	Optional []string `json:"optional"`
	Mail     bool     `json:"mail" doc:"Accounts by e-mail and password can be made here."`
}

// Sent says that a mail is on its way, if there is anybody to get it.
type Sent struct {
	Detail string `json:"detail"`
}

// Person is what somebody said of themselves.
type Person struct {
	Email    string `json:"email,omitempty"`
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Profile  string `json:"profile,omitempty"`
	Language string `json:"language,omitempty" doc:"Mails come in it."`
}

type signUpIn struct {
	Body SignUp
}

type confirmIn struct {
	Body struct {
		Secret   string `json:"secret" maxLength:"200"`
		Password string `json:"password,omitempty" maxLength:"1000" doc:"Of the sign-up. Needed to be signed in from another browser than the one that signed up."`
	}
}

type passwordSignIn struct {
	Body struct {
		Email    string `json:"email" maxLength:"1000"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type emailIn struct {
	Body struct {
		Email string `json:"email" maxLength:"1000"`
	}
}

type addressSecretIn struct {
	Body struct {
		Secret string `json:"secret" maxLength:"200"`
	}
}

type resetIn struct {
	Body struct {
		Secret   string `json:"secret" maxLength:"200"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type newPasswordIn struct {
	Body struct {
		Password string `json:"password" maxLength:"1000"`
	}
}

// Correction is what an account says anew of its owner; what is left out stays.
type Correction struct {
	Name     *string `json:"name,omitempty" maxLength:"2000"`
	Username *string `json:"username,omitempty" maxLength:"2000"`
	Profile  *string `json:"profile,omitempty" maxLength:"10000"`
	Language *string `json:"language,omitempty" maxLength:"40"`
}

type correctIn struct{ Body Correction }

// The answers that must not tell whether there is an account.
const (
	sentSignUp = "We sent a mail to that address. Open the link in it within a day."
	sentReset  = "If there is an account with that address, a mail with a link is on its way. It works for an hour."
	sentChange = "We sent a mail to the new address. Open the link in it within a day; until then the old one stays."
)

func (d *door) accounts() {
	huma.Register(d.api, huma.Operation{OperationID: "account-fields", Method: http.MethodGet, Path: "/api/accounts",
		Summary: "What an account is asked for here", Metadata: open}, d.accountFields)
	huma.Register(d.api, huma.Operation{OperationID: "sign-up", Method: http.MethodPost, Path: "/api/accounts", Metadata: open,
		Summary: "Begin an account by e-mail: a guest takes along all that is theirs", DefaultStatus: http.StatusAccepted}, d.signUp)
	huma.Register(d.api, huma.Operation{OperationID: "confirm-account", Method: http.MethodPost, Path: "/api/accounts/confirm", Metadata: open,
		Summary: "Make the account with the secret from the mail"}, d.confirmAccount)
	huma.Register(d.api, huma.Operation{OperationID: "reset-password", Method: http.MethodPost, Path: "/api/accounts/reset", Metadata: open,
		Summary: "Ask for a mail that sets a new password", DefaultStatus: http.StatusAccepted}, d.resetPassword)
	huma.Register(d.api, huma.Operation{OperationID: "confirm-reset", Method: http.MethodPost, Path: "/api/accounts/reset/confirm", Metadata: open,
		Summary: "Set a new password with the secret from the mail; all sessions end", DefaultStatus: http.StatusNoContent}, d.confirmReset)
	huma.Register(d.api, huma.Operation{OperationID: "sign-in", Method: http.MethodPost, Path: "/api/session/password", Metadata: open,
		Summary: "Sign in by e-mail and password"}, d.signIn)
	huma.Register(d.api, huma.Operation{OperationID: "get-profile", Method: http.MethodGet, Path: "/api/me/profile",
		Summary: "What you said of yourself", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.profile))
	huma.Register(d.api, huma.Operation{OperationID: "correct-profile", Method: http.MethodPatch, Path: "/api/me/profile",
		Summary: "Correct what you said of yourself", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.correctProfile))
	huma.Register(d.api, huma.Operation{OperationID: "change-address", Method: http.MethodPost, Path: "/api/me/address", DefaultStatus: http.StatusAccepted,
		Summary: "Ask for a mail to another address of yours", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.changeAddress))
	huma.Register(d.api, huma.Operation{OperationID: "confirm-address", Method: http.MethodPost, Path: "/api/me/address/confirm", DefaultStatus: http.StatusNoContent,
		Summary: "Make the other address yours with the secret from the mail", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.confirmAddress))
	huma.Register(d.api, huma.Operation{OperationID: "change-password", Method: http.MethodPut, Path: "/api/me/password", DefaultStatus: http.StatusNoContent,
		Summary: "Set another password; your other sessions end", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.changePassword))
	huma.Register(d.api, huma.Operation{OperationID: "prove", Method: http.MethodPost, Path: "/api/me/prove", DefaultStatus: http.StatusNoContent,
		Summary: "Prove by your password that it is you, for the next ten minutes", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.prove))
}

func (d *door) accountFields(context.Context, *struct{}) (*body[Fields], error) {
	required, optional := d.Accounts.Fields()
	return &body[Fields]{Fields{Required: required, Optional: optional, Mail: d.Accounts.Mails() == nil}}, nil
}

func (d *door) signUp(ctx context.Context, in *signUpIn) (*body[Sent], error) {
	b := in.Body
	err := d.Accounts.SignUp(ctx, anybody(ctx), visitor(ctx), account.SignUp{Password: b.Password,
		Person: account.Person{Email: b.Email, Name: b.Name, Username: b.Username, Profile: b.Profile,
			Language: b.Language},
		Origin: account.Origin{Country: b.Country, Born: b.Born}})
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[Sent]{Sent{sentSignUp}}, nil
}

func (d *door) confirmAccount(ctx context.Context, in *confirmIn) (*entryOut, error) {
	return d.entered(ctx)(d.Accounts.Confirm(ctx, anybody(ctx), visitor(ctx), in.Body.Secret, in.Body.Password))
}

func (d *door) signIn(ctx context.Context, in *passwordSignIn) (*entryOut, error) {
	return d.entered(ctx)(d.Accounts.SignIn(ctx, visitor(ctx), in.Body.Email, in.Body.Password))
}

func (d *door) resetPassword(ctx context.Context, in *emailIn) (*body[Sent], error) {
	if err := d.Accounts.Reset(ctx, visitor(ctx), in.Body.Email); err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[Sent]{Sent{sentReset}}, nil
}

func (d *door) confirmReset(ctx context.Context, in *resetIn) (*struct{}, error) {
	if err := d.Accounts.ConfirmReset(ctx, visitor(ctx), in.Body.Secret, in.Body.Password); err != nil {
		return nil, d.judge(ctx, err)
	}
	return nil, nil
}

func (d *door) profile(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Person], error) {
	p, err := d.Accounts.Person(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[Person]{Person(p)}, nil
}

func (d *door) correctProfile(ctx context.Context, by musa.Actor, in *correctIn) (*body[Person], error) {
	p, err := d.Accounts.Correct(ctx, by, account.Change(in.Body))
	if err != nil {
		return nil, err
	}
	return &body[Person]{Person(p)}, nil
}

func (d *door) changeAddress(ctx context.Context, by musa.Actor, in *emailIn) (*body[Sent], error) {
	if err := d.Accounts.ChangeAddress(ctx, by, visitor(ctx), in.Body.Email); err != nil {
		return nil, err
	}
	return &body[Sent]{Sent{sentChange}}, nil
}

func (d *door) confirmAddress(ctx context.Context, by musa.Actor, in *addressSecretIn) (*struct{}, error) {
	return nil, d.Accounts.ConfirmAddress(ctx, by, visitor(ctx), in.Body.Secret)
}

func (d *door) changePassword(ctx context.Context, by musa.Actor, in *newPasswordIn) (*struct{}, error) {
	return nil, d.Accounts.ChangePassword(ctx, by, in.Body.Password)
}

func (d *door) prove(ctx context.Context, by musa.Actor, in *newPasswordIn) (*struct{}, error) {
	return nil, d.Accounts.Prove(ctx, by, in.Body.Password)
}
