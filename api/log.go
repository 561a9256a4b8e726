package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/consent"
	"musa/rights"
)

// Log is the switch of the interaction log.
type Log struct {
	Off   bool        `json:"off"`
	Since Time        `json:"since" doc:"When it was switched off."`
	Stops []string    `json:"stops" doc:"Kinds of data that are not kept while it is off: what is needed for a job goes when the job ends."`
	Kept  []StillKept `json:"kept" doc:"What is kept all the same, with its end."`
}

// StillKept is one kind of data that the switch does not stop.
type StillKept struct {
	Category string `json:"category"`
	Words    string `json:"words"`
}

type logIn struct {
	Tongue
	Body struct {
		Off bool `json:"off" doc:"true erases at once what was said for jobs that have ended. Switching back brings nothing back."`
	}
}

func (d *door) log() {
	huma.Register(d.api, huma.Operation{OperationID: "get-log", Method: http.MethodGet, Path: "/api/me/log",
		Summary: "Whether what you say for jobs is kept, and what is kept all the same", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getLog))
	huma.Register(d.api, huma.Operation{OperationID: "switch-log", Method: http.MethodPut, Path: "/api/me/log",
		Summary: "Switch that log off or on", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.switchLog))
}

func (d *door) getLog(ctx context.Context, by musa.Actor, in *Tongue) (*body[Log], error) {
	l, err := d.Rights.Logging(ctx, by, in.tag())
	if err != nil {
		return nil, err
	}
	return &body[Log]{logOf(l)}, nil
}

func (d *door) switchLog(ctx context.Context, by musa.Actor, in *logIn) (*body[Log], error) {
	on := consent.Yes
	if in.Body.Off {
		on = consent.No
	}
	l, err := d.Rights.SwitchLog(ctx, by, on, in.tag())
	if err != nil {
		return nil, err
	}
	return &body[Log]{logOf(l)}, nil
}

func logOf(l rights.Log) Log {
	out := Log{Off: l.Off, Since: timeOf(l.Since), Stops: []string{}, Kept: []StillKept{}}
	for _, c := range l.Stops {
		out.Stops = append(out.Stops, string(c))
	}
	for _, k := range l.Kept {
		out.Kept = append(out.Kept, StillKept{Category: string(k.Category), Words: k.Words})
	}
	return out
}
