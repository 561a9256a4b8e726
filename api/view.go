package api

import (
	"time"

	"musa"
	"musa/engine"
	"musa/studio"
)

// Time is an instant as RFC 3339 with milliseconds, UTC; nil when there is none.
type Time = *time.Time

func timeOf(m musa.Millis) Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// Asset is a picture as its owner sees it.
type Asset struct {
	ID         string   `json:"id"`
	Kind       string   `json:"kind" enum:"original,output"`
	State      string   `json:"state" enum:"active,erasing,hidden,erased,purged" doc:"erasing: deleted by its owner, can still be undone. hidden: at its end, its key is about to be destroyed."`
	Created    Time     `json:"created"`
	Ends       Time     `json:"ends" doc:"When it can no longer be opened; null while a job uses it and nothing else ends it."`
	EndsRule   string   `json:"ends_rule" doc:"The line of the policy that says so."`
	EndsText   string   `json:"ends_words"`
	Saved      bool     `json:"saved"`
	Reason     string   `json:"reason,omitempty" enum:"policy,ordered" doc:"Why it is no longer active."`
	Undo       Time     `json:"undo_until,omitempty"`
	Erased     Time     `json:"erased,omitempty" doc:"When its key was destroyed."`
	Purged     Time     `json:"purged,omitempty" doc:"When its bytes were found to be gone."`
	Receipt    string   `json:"receipt,omitempty" doc:"Of its erasure, once its bytes were found to be gone."`
	Name       string   `json:"name,omitempty"`
	Format     string   `json:"format,omitempty"`
	Width      int      `json:"width,omitempty"`
	Height     int      `json:"height,omitempty"`
	Bytes      int64    `json:"bytes,omitempty"`
	Thumb      bool     `json:"thumb"`
	Job        string   `json:"job,omitempty"`
	Sources    []string `json:"sources"`
	Made       *Made    `json:"made,omitempty"`
	Commercial bool     `json:"commercial" doc:"Its owner says that it is used commercially."`
}

// Made is how a result came to be.
type Made struct {
	Engine     string        `json:"engine"`
	Model      string        `json:"model"`
	Scale      int           `json:"scale"`
	Params     engine.Params `json:"params"`
	Steps      []engine.Step `json:"steps"`
	Seconds    float64       `json:"seconds"`
	Checks     []string      `json:"checks"`
	Understood string        `json:"understood,omitempty"`
}

func assetOf(a studio.Asset) Asset {
	out := Asset{ID: string(a.ID), Kind: string(a.Category), State: string(a.State), Created: timeOf(a.Created), Ends: timeOf(a.Ends),
		EndsRule: a.Rule, EndsText: a.Words, Saved: a.Saved, Erased: timeOf(a.Erased), Purged: timeOf(a.Purged), Undo: timeOf(a.Undo),
		Job: string(a.Job), Sources: []string{}, Commercial: a.Commercial}
	if a.State == musa.AssetPurged {
		out.Receipt = string(a.Receipt) // its name is known before, but there is none to open yet
	}
	for _, s := range a.Sources {
		out.Sources = append(out.Sources, string(s))
	}
	if a.Hidden {
		out.Reason = string(a.Why)
		switch {
		case a.State != musa.AssetActive:
		case a.Undo > 0:
			out.State = "erasing"
		default:
			out.State = "hidden"
		}
		return out
	}
	out.Name, out.Format, out.Width, out.Height, out.Bytes, out.Thumb = a.Info.Name, a.Info.Format, a.Info.Width, a.Info.Height, a.Info.Bytes, true
	if m := a.Made; m != nil {
		out.Made = &Made{Engine: m.Engine, Model: m.Model, Scale: m.Scale, Params: m.Params, Steps: m.Steps, Seconds: m.Seconds, Checks: m.Checks, Understood: m.Understood}
	}
	return out
}

func assetsOf(as []studio.Asset) []Asset {
	out := make([]Asset, 0, len(as))
	for _, a := range as {
		out = append(out, assetOf(a))
	}
	return out
}

// Job is an order as its owner sees it.
type Job struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	State    string   `json:"state" enum:"queued,running,succeeded,failed,blocked,cancelled"`
	Created  Time     `json:"created"`
	Started  Time     `json:"started,omitempty"`
	Ended    Time     `json:"ended,omitempty"`
	Held     int64    `json:"held_credits"`
	Position int      `json:"position" doc:"Jobs before this one."`
	Progress Progress `json:"progress"`
	Prompt   string   `json:"prompt,omitempty"`
	Ends     Time     `json:"ends" doc:"When the first of prompt and plan goes; null when none is left."`
	Engine   string   `json:"engine"`
	Model    string   `json:"model,omitempty"`
	Plan     *Plan    `json:"plan,omitempty"`
	Inputs   []Asset  `json:"inputs"`
	Outputs  []Asset  `json:"outputs"`
	Error    *Failure `json:"error,omitempty"`
}

// Progress is how far a running job is.
type Progress struct {
	Step    string  `json:"step,omitempty"`
	Done    int     `json:"done"`
	Total   int     `json:"total"`
	Seconds float64 `json:"seconds_left"`
}

// Failure is why a job failed.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Plan is what an order would do.
type Plan struct {
	Engine     string        `json:"engine,omitempty"`
	Steps      []engine.Step `json:"steps"`
	Model      string        `json:"model"`
	Scale      int           `json:"scale"`
	Width      int           `json:"width"`
	Height     int           `json:"height"`
	Format     string        `json:"format"`
	Seconds    float64       `json:"seconds" doc:"Estimate for an idle machine."`
	Tiles      int           `json:"tiles"`
	Credits    int64         `json:"credits"`
	Understood string        `json:"understood,omitempty"`
	Notice     string        `json:"notice" doc:"Who sees the picture."`
	Original   string        `json:"original_words,omitempty" doc:"What happens to the original, from the policy."`
}

func planOf(p engine.Plan) *Plan {
	return &Plan{Steps: p.Steps, Model: p.Model, Scale: p.Scale, Width: p.Width, Height: p.Height, Format: p.Format,
		Seconds: p.Seconds, Tiles: p.Tiles, Understood: p.Understood, Notice: p.Notice}
}

func jobOf(j studio.Job) Job {
	out := Job{ID: string(j.ID), Kind: string(j.Kind), State: string(j.State), Created: timeOf(j.Created), Started: timeOf(j.Started),
		Ended: timeOf(j.Ended), Position: j.Position, Prompt: j.Prompt.Reveal(), Ends: timeOf(j.Ends), Engine: j.Engine, Model: j.Model,
		Progress: Progress(j.Progress), Inputs: assetsOf(j.Inputs), Outputs: assetsOf(j.Outputs)}
	if !j.State.Ended() {
		out.Held = j.Held
	}
	if j.Plan != nil {
		out.Plan = planOf(*j.Plan)
	}
	if j.State == musa.JobFailed || j.State == musa.JobBlocked {
		out.Error = &Failure{Code: j.Code, Message: j.Public}
	}
	return out
}
