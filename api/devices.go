package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

// Device is one session of a person, and what is known of where it runs.
type Device struct {
	ID       string `json:"id"`
	Current  bool   `json:"current" doc:"The session that asks."`
	Created  Time   `json:"created"`
	LastSeen Time   `json:"last_seen" doc:"To a few minutes."`
	Expires  Time   `json:"expires"`
	OS       string `json:"os,omitempty"`
	Browser  string `json:"browser,omitempty"`
	Kind     string `json:"kind,omitempty" enum:"desktop,phone,tablet,program"`
	// Connection is how it speaks with this server.
	Connection string `json:"connection,omitempty" doc:"How it came: HTTP/2.0."`
	Address    string `json:"address,omitempty" doc:"The network it came from, cut off at /24, or /48 of IPv6. Gone after the time that the policy says."`
}

// Devices are all sessions of a person.
type Devices struct {
	Sessions []Device `json:"sessions"`
}

// EndedSessions is how many were ended.
type EndedSessions struct {
	Ended int `json:"ended"`
}

type devicePath struct {
	ID string `path:"id"`
}

func (d *door) devices() {
	huma.Register(d.api, huma.Operation{OperationID: "list-sessions", Method: http.MethodGet, Path: "/api/me/sessions",
		Summary: "Where you are signed in, the newest first", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.listSessions))
	huma.Register(d.api, huma.Operation{OperationID: "end-session", Method: http.MethodDelete, Path: "/api/me/sessions/{id}",
		Summary: "Sign one device out", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.endSession))
	huma.Register(d.api, huma.Operation{OperationID: "end-sessions", Method: http.MethodDelete, Path: "/api/me/sessions",
		Summary: "Sign all devices out but this one", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.endSessions))
}

func (d *door) listSessions(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Devices], error) {
	list, err := d.Accounts.Sessions(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Devices{Sessions: make([]Device, len(list))}
	for i, s := range list {
		out.Sessions[i] = Device{ID: string(s.ID), Current: s.Current, Created: timeOf(s.Created), LastSeen: timeOf(s.LastSeen), Expires: timeOf(s.Expires),
			OS: s.Device.OS, Browser: s.Device.Browser, Kind: s.Device.Kind, Address: s.Device.Address, Connection: s.Device.Connection}
	}
	return &body[Devices]{out}, nil
}

func (d *door) endSession(ctx context.Context, by musa.Actor, in *devicePath) (*struct{}, error) {
	id, err := musa.ParseSessionID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.EndSession(ctx, by, id)
}

func (d *door) endSessions(ctx context.Context, by musa.Actor, _ *struct{}) (*body[EndedSessions], error) {
	n, err := d.Accounts.EndOthers(ctx, by)
	if err != nil {
		return nil, err
	}
	return &body[EndedSessions]{EndedSessions{n}}, nil
}
