package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/retention"
)

// Cleanup is the queue of what goes. Entered is always the sum of the other four.
type Cleanup struct {
	At      Time          `json:"at"`
	Entered int           `json:"entered"`
	Waiting int           `json:"waiting" doc:"Past its end; its key is about to be destroyed."`
	Erasing int           `json:"erasing" doc:"Its key is destroyed, its bytes are about to go."`
	Purged  int           `json:"purged" doc:"Its bytes were found to be gone, in the last 30 days."`
	Failed  int           `json:"failed" doc:"Its key is destroyed; its bytes did not go yet, and are tried again."`
	Items   []CleanupItem `json:"items" doc:"Those in the state that was asked for; empty when none was."`
	Next    string        `json:"next,omitempty" doc:"Pass as after for the next page."`
}

// CleanupItem is one picture in the queue: ids and codes, never content.
type CleanupItem struct {
	Item     string `json:"item"`
	Category string `json:"category"`
	State    string `json:"state" enum:"waiting,erasing,purged,failed"`
	Due      Time   `json:"due"`
	Erased   Time   `json:"erased"`
	Purged   Time   `json:"purged"`
	Tries    int    `json:"tries" doc:"Removals of its bytes that failed so far."`
	Cause    string `json:"cause,omitempty" doc:"A code: why the last one failed."`
}

type cleanupIn struct {
	State string `query:"state" enum:"waiting,erasing,purged,failed"`
	After string `query:"after" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (d *door) cleanup() {
	huma.Register(d.api, huma.Operation{OperationID: "cleanup", Method: http.MethodGet, Path: staffPrefix + "cleanup",
		Summary: "The queue of what goes: counted, and line by line", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.queue))
}

func (d *door) queue(ctx context.Context, _ musa.Actor, in *cleanupIn) (*body[Cleanup], error) {
	c, err := d.Keeper.Cleanup(ctx, retention.CleanupQuery{State: retention.CleanupState(in.State), After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := Cleanup{At: timeOf(c.At), Entered: c.Entered, Waiting: c.Waiting, Erasing: c.Erasing, Purged: c.Purged, Failed: c.Failed,
		Items: []CleanupItem{}, Next: c.Next}
	for _, l := range c.Lines {
		out.Items = append(out.Items, CleanupItem{Item: string(l.Item), Category: string(l.Category), State: string(l.State),
			Due: timeOf(l.Due), Erased: timeOf(l.Erased), Purged: timeOf(l.Purged), Tries: l.Tries, Cause: l.Cause})
	}
	return &body[Cleanup]{out}, nil
}
