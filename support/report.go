package support

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"musa"
	"musa/studio"
)

// maxPicture is the most bytes of a preview that a report carries.
const maxPicture = 256 << 10

// Report is all that an error report says, as it lies sealed in its thread and as an export holds
// it. Without a person's tick it has no prompt, no file name and no picture.
type Report struct {
	Version  int         `json:"version"`
	Job      musa.JobID  `json:"job"`
	Kind     string      `json:"kind"`
	State    string      `json:"state"`
	Code     string      `json:"code"`
	Engine   string      `json:"engine"`
	Model    string      `json:"model,omitempty"`
	Program  string      `json:"program"` // the version of this server
	Policy   string      `json:"policy"`  // the version that the job was admitted under
	Created  musa.Millis `json:"created"`
	Started  musa.Millis `json:"started,omitempty"`
	Ended    musa.Millis `json:"ended"`
	Attempts int         `json:"attempts"`
	Done     int         `json:"done"`  // units of work,
	Total    int         `json:"total"` // of so many
	Steps    []Done      `json:"steps"`
	Scale    int         `json:"scale,omitempty"`
	Width    int         `json:"width,omitempty"` // of the result that was planned, in pixels
	Height   int         `json:"height,omitempty"`
	Inputs   []Input     `json:"inputs"`

	Prompt  string `json:"prompt,omitempty"`
	Picture []byte `json:"picture,omitempty"` // the preview of the first input, encoded
}

// Done is one step of the work, without the words that were read from a prompt.
type Done struct {
	Name     string  `json:"name"`
	On       bool    `json:"on"`
	Strength float64 `json:"strength"`
}

// Input is what is told of a picture that the job worked on.
type Input struct {
	Format string `json:"format,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Ticks are what a person adds to an error report.
type Ticks struct {
	Prompt, Names, Picture bool
}

// Preview is exactly what would be sent. Digest binds the sending to it.
type Preview struct {
	Report Report
	Digest string // SHA-256 of the report, in hex
}

// Preview shows what a report about a failed job of the actor's would say. Promise C-09.
func (d *Desk) Preview(ctx context.Context, by musa.Actor, id musa.JobID, t Ticks) (Preview, error) {
	j, err := d.Studio.Job(ctx, by, id)
	if err != nil {
		return Preview{}, err
	}
	if j.State != musa.JobFailed && j.State != musa.JobBlocked {
		return Preview{}, &musa.Problem{Kind: musa.ErrConflict, Code: "not_failed", Public: "This job did not fail. If its result is wrong, rate the picture or write to support."}
	}
	r := d.report(j, t)
	if t.Picture && len(j.Inputs) > 0 && !j.Inputs[0].Hidden {
		if r.Picture, err = d.thumb(ctx, by, j.Inputs[0].ID); err != nil {
			return Preview{}, err
		}
	}
	plain, err := json.Marshal(r)
	if err != nil {
		return Preview{}, fmt.Errorf("encode report on %s: %w", id, err)
	}
	sum := sha256.Sum256(plain)
	return Preview{Report: r, Digest: hex.EncodeToString(sum[:])}, nil
}

func (d *Desk) report(j studio.Job, t Ticks) Report {
	r := Report{Version: 1, Job: j.ID, Kind: string(j.Kind), State: string(j.State), Code: j.Code, Engine: j.Engine, Model: j.Model,
		Program: d.Version, Policy: j.PolicyVersion, Created: j.Created, Started: j.Started, Ended: j.Ended, Attempts: j.Attempt,
		Done: j.Done, Total: j.Total, Steps: []Done{}, Inputs: []Input{}}
	if j.Plan != nil {
		r.Scale, r.Width, r.Height = j.Plan.Scale, j.Plan.Width, j.Plan.Height
		for _, s := range j.Plan.Steps {
			r.Steps = append(r.Steps, Done{Name: s.Name, On: s.On, Strength: s.Strength})
		}
	}
	for _, a := range j.Inputs {
		if a.Hidden {
			r.Inputs = append(r.Inputs, Input{})
			continue
		}
		in := Input{Format: a.Info.Format, Width: a.Info.Width, Height: a.Info.Height, Bytes: a.Info.Bytes}
		if t.Names {
			in.Name = a.Info.Name
		}
		r.Inputs = append(r.Inputs, in)
	}
	if t.Prompt {
		r.Prompt = j.Prompt.Reveal()
	}
	return r
}

func (d *Desk) thumb(ctx context.Context, by musa.Actor, id musa.AssetID) (data []byte, err error) {
	c, err := d.Studio.Content(ctx, by, id, musa.BlobThumb)
	if err != nil {
		return nil, err
	}
	defer func() {
		if shut := c.Close(); err == nil {
			err = shut
		}
	}()
	if data, err = io.ReadAll(io.LimitReader(c, maxPicture+1)); err != nil {
		return nil, fmt.Errorf("read preview of %s: %w", id, err)
	}
	if len(data) > maxPicture {
		return nil, &musa.Problem{Kind: musa.ErrTooLarge, Code: "picture_too_large", Field: "picture", Public: "The preview of this picture is too large for a report. Send it without."}
	}
	return data, nil
}

// SendReport sends what was shown, as a thread. What a preview of now would not say is not sent:
// ErrConflict when the digest is not that of the preview.
func (d *Desk) SendReport(ctx context.Context, by musa.Actor, id musa.JobID, t Ticks, digest string, l Letter) (Thread, error) {
	p, err := d.Preview(ctx, by, id, t)
	if err != nil {
		return Thread{}, err
	}
	if p.Digest != digest {
		return Thread{}, &musa.Problem{Kind: musa.ErrConflict, Code: "preview_old", Field: "digest",
			Public: "What would be sent is not what you were shown. Look at the preview again and send that (GET …/report)."}
	}
	l.Kind, l.Object, l.report = musa.ThreadFault, string(id), &p.Report
	if l.Words == "" {
		l.Words = "—" // nothing was added to the report
	}
	if err := l.check(); err != nil {
		return Thread{}, err
	}
	if err := d.Accounts.Limit(ctx, "support", string(by.Subject), writesPerHour, time.Hour); err != nil {
		return Thread{}, err
	}
	return d.begin(ctx, by, l)
}
