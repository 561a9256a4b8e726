package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
)

// Key is a key of the API.
type Key struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Scopes  []string `json:"scopes" doc:"read, create, erase, account, support."`
	Created Time     `json:"created"`
	Expires Time     `json:"expires"`
	Used    Time     `json:"used" doc:"Last use, to a few minutes; null for never."`
	Secret  string   `json:"secret,omitempty" doc:"Shown once. Send it as Authorization: Bearer."`
}

type keyIn struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"200" doc:"For you, to know it again."`
		Scopes []string `json:"scopes" minItems:"1" maxItems:"16"`
		Days   int      `json:"days,omitempty" doc:"Until it expires; 90 if not said."`
	}
}

type keyPath struct {
	ID string `path:"id"`
}

func (d *door) apiKeys() {
	huma.Register(d.api, huma.Operation{OperationID: "list-keys", Method: http.MethodGet, Path: "/api/me/keys",
		Summary: "Your keys of the API", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.listKeys))
	huma.Register(d.api, huma.Operation{OperationID: "make-key", Method: http.MethodPost, Path: "/api/me/keys",
		Summary: "Make a key; its secret is shown this once", DefaultStatus: http.StatusCreated, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.makeKey))
	huma.Register(d.api, huma.Operation{OperationID: "revoke-key", Method: http.MethodDelete, Path: "/api/me/keys/{id}",
		Summary: "End a key at once", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.revokeKey))
}

func keyOf(k account.Key) Key {
	out := Key{ID: string(k.ID), Name: k.Name, Created: timeOf(k.Created), Expires: timeOf(k.Expires), Used: timeOf(k.Used), Secret: k.Secret}
	for _, s := range k.Scopes {
		out.Scopes = append(out.Scopes, string(s))
	}
	return out
}

func (d *door) listKeys(ctx context.Context, by musa.Actor, _ *struct{}) (*body[[]Key], error) {
	list, err := d.Accounts.APIKeys(ctx, by)
	if err != nil {
		return nil, err
	}
	out := []Key{}
	for _, k := range list {
		out = append(out, keyOf(k))
	}
	return &body[[]Key]{out}, nil
}

func (d *door) makeKey(ctx context.Context, by musa.Actor, in *keyIn) (*body[Key], error) {
	wish := account.KeyWish{Name: in.Body.Name, Days: in.Body.Days}
	for _, s := range in.Body.Scopes {
		wish.Scopes = append(wish.Scopes, account.Scope(s))
	}
	k, err := d.Accounts.NewKey(ctx, by, wish)
	if err != nil {
		return nil, err
	}
	return &body[Key]{keyOf(k)}, nil
}

func (d *door) revokeKey(ctx context.Context, by musa.Actor, in *keyPath) (*struct{}, error) {
	id, err := musa.ParseKeyID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.RevokeKey(ctx, by, id)
}
