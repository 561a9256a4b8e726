package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
)

// Figures is how well the policy's times were kept lately. They lead to nobody.
type Figures struct {
	At            Time    `json:"at"`
	Overdue       int     `json:"overdue" doc:"Items whose end has come and whose key is still there."`
	OldestOverdue float64 `json:"oldest_overdue_seconds"`
	Erased        int     `json:"erased_30d"`
	Purged        int     `json:"purged_30d"`
	KeyP99        float64 `json:"key_p99_seconds" doc:"What 99 of 100 did not exceed from their end to the destruction of their key."`
	PurgeP99      float64 `json:"purge_p99_seconds" doc:"The same, to the removal of their bytes."`
	LastBackup    Time    `json:"last_backup" doc:"null: there is none."`
	Rehearsed     Time    `json:"rehearsed" doc:"When a backup was last restored to try it; null: never."`
}

// Reckonings is how far what exists was reckoned by each taking up of a version.
type Reckonings struct {
	Reckonings []Reckoning `json:"reckonings"`
}

// Reckoning is how far one has come.
type Reckoning struct {
	Version   string `json:"version"`
	Published Time   `json:"published"`
	Effective Time   `json:"effective"`
	Looked    int64  `json:"looked"`
	Total     int64  `json:"total" doc:"An estimate until it has finished."`
	Shortened int64  `json:"shortened"`
	Finished  Time   `json:"finished" doc:"null while it runs."`
}

// Usage is what was made, day by day, so that it leads to nobody.
type Usage struct {
	Totals   []UsageTotal `json:"totals"`
	Days     int          `json:"days" doc:"That were counted, also those without a group that is large enough."`
	MinGroup int          `json:"min_group" doc:"The smallest number of people in a total."`
	Epsilon  float64      `json:"epsilon" doc:"The noise's budget; 0 for none."`
	Spent    float64      `json:"spent" doc:"How much of it the present period has used."`
	Per      string       `json:"per"`
}

// UsageTotal is how many jobs succeeded on a day, in one group, with noise.
type UsageTotal struct {
	Day   string `json:"day"`
	Kind  string `json:"kind"`
	Model string `json:"model"`
	Jobs  int64  `json:"jobs"`
}

type usageIn struct {
	Days int `query:"days" minimum:"1" maximum:"400" default:"30"`
}

func (d *door) overview() {
	huma.Register(d.api, huma.Operation{OperationID: "figures", Method: http.MethodGet, Path: "/api/admin/figures",
		Summary: "How well the policy's times were kept in the last 30 days", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.figures))
	huma.Register(d.api, huma.Operation{OperationID: "reckonings", Method: http.MethodGet, Path: "/api/admin/reckoning",
		Summary: "How far what exists was reckoned by each version of the policy", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.reckonings))
	huma.Register(d.api, huma.Operation{OperationID: "usage", Method: http.MethodGet, Path: "/api/admin/usage",
		Summary: "Daily totals that lead to nobody", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.usage))
}

func (d *door) figures(ctx context.Context, _ musa.Actor, _ *struct{}) (*body[Figures], error) {
	f, err := d.Keeper.Figures(ctx)
	if err != nil {
		return nil, err
	}
	return &body[Figures]{Figures{At: timeOf(f.At), Overdue: f.Overdue, OldestOverdue: seconds(f.OldestOverdue), Erased: f.Erased30d, Purged: f.Purged30d,
		KeyP99: seconds(f.KeyP99), PurgeP99: seconds(f.PurgeP99), LastBackup: timeOf(f.LastBackup), Rehearsed: timeOf(f.Rehearsed)}}, nil
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }

func (d *door) reckonings(ctx context.Context, _ musa.Actor, _ *struct{}) (*body[Reckonings], error) {
	list, err := d.Keeper.Reckoning(ctx)
	if err != nil {
		return nil, err
	}
	out := Reckonings{Reckonings: []Reckoning{}}
	for _, r := range list {
		out.Reckonings = append(out.Reckonings, Reckoning{Version: r.Version, Published: timeOf(r.Published), Effective: timeOf(r.Effective),
			Looked: r.Looked, Total: r.Total, Shortened: r.Shortened, Finished: timeOf(r.Finished)})
	}
	return &body[Reckonings]{out}, nil
}

func (d *door) usage(ctx context.Context, by musa.Actor, in *usageIn) (*body[Usage], error) {
	r, err := d.Usage.Report(ctx, by, in.Days)
	if err != nil {
		return nil, err
	}
	out := Usage{Totals: []UsageTotal{}, Days: r.Days, MinGroup: r.MinGroup, Epsilon: r.Epsilon, Spent: r.Spent, Per: r.Per}
	for _, t := range r.Totals {
		out.Totals = append(out.Totals, UsageTotal{Day: t.Day, Kind: string(t.Kind), Model: t.Model, Jobs: t.Jobs})
	}
	return &body[Usage]{out}, nil
}
