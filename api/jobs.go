package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/engine"
	"musa/studio"
)

// Order is the request of a plan or a job.
type Order struct {
	Kind       string          `json:"kind" enum:"generate,edit,enhance,upscale,remove_background,inpaint,video,prompt,text"`
	Prompt     string          `json:"prompt,omitempty" maxLength:"32000" doc:"What should be better, in plain words."`
	Inputs     []string        `json:"inputs,omitempty" maxItems:"16" doc:"Ids of assets."`
	Engine     string          `json:"engine,omitempty"`
	Params     json.RawMessage `json:"params,omitempty" doc:"scale (1, 2, 4), quality (fast, best), format (jpeg, png, webp, avif), steps ({name: auto|on|off})."`
	Commercial bool            `json:"commercial,omitempty" doc:"What is made will be used commercially: it is trained on only with a consent of its own. Nothing else changes."`
}

type orderIn struct{ Body Order }

type jobIn struct {
	ID string `path:"id"`
}

func (d *door) jobs() {
	d.raw("GET /api/jobs/{id}/events", may(musa.ActSee), d.events)
	huma.Register(d.api, huma.Operation{OperationID: "plan-job", Method: http.MethodPost, Path: "/api/plans",
		Summary: "What an order would do, take and cost, before it is made", Security: secured, Metadata: may(musa.ActMake)}, serve(d, d.planJob))
	huma.Register(d.api, huma.Operation{OperationID: "order-job", Method: http.MethodPost, Path: "/api/jobs",
		Summary: "Order work", DefaultStatus: http.StatusAccepted, Security: secured, Metadata: may(musa.ActMake)}, serve(d, d.orderJob))
	huma.Register(d.api, huma.Operation{OperationID: "get-job", Method: http.MethodGet, Path: "/api/jobs/{id}",
		Summary: "How a job stands", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getJob))
	huma.Register(d.api, huma.Operation{OperationID: "cancel-job", Method: http.MethodDelete, Path: "/api/jobs/{id}",
		Summary: "Cancel a job", Security: secured, Metadata: may(musa.ActMake)}, serve(d, d.cancelJob))
	huma.Register(d.api, huma.Operation{OperationID: "erase-prompt", Method: http.MethodDelete, Path: "/api/jobs/{id}/prompt",
		Summary: "Erase what you said and chose for a job that has ended; its pictures stay", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActErase)}, serve(d, d.erasePrompt))
}

func (d *door) order(o Order) (studio.Order, error) {
	out := studio.Order{Kind: musa.JobKind(o.Kind), Prompt: musa.Prompt(o.Prompt), Engine: o.Engine, Commercial: o.Commercial}
	for i, raw := range o.Inputs {
		id, err := musa.ParseAssetID(raw)
		if err != nil {
			return out, &musa.Problem{Kind: musa.ErrNotFound, Code: "input_unknown", Field: fmt.Sprintf("inputs[%d]", i),
				Public: "There is no such picture of yours."}
		}
		out.Inputs = append(out.Inputs, id)
	}
	var err error
	out.Params, err = engine.ParseParams(o.Params)
	return out, err
}

func (d *door) planJob(ctx context.Context, by musa.Actor, in *orderIn) (*body[Plan], error) {
	o, err := d.order(in.Body)
	if err != nil {
		return nil, err
	}
	p, err := d.Studio.Plan(ctx, by, o)
	if err != nil {
		return nil, err
	}
	out := planOf(p.Plan)
	out.Engine, out.Credits, out.Original = p.Engine, p.Credits, p.Original
	return &body[Plan]{*out}, nil
}

func (d *door) orderJob(ctx context.Context, by musa.Actor, in *orderIn) (*body[Job], error) {
	o, err := d.order(in.Body)
	if err != nil {
		return nil, err
	}
	j, err := d.Studio.Order(ctx, by, o)
	if err != nil {
		return nil, err
	}
	return &body[Job]{jobOf(j)}, nil
}

func (d *door) getJob(ctx context.Context, by musa.Actor, in *jobIn) (*body[Job], error) {
	id, err := musa.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	j, err := d.Studio.Job(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Job]{jobOf(j)}, nil
}

func (d *door) cancelJob(ctx context.Context, by musa.Actor, in *jobIn) (*body[Job], error) {
	id, err := musa.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	j, err := d.Studio.Cancel(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Job]{jobOf(j)}, nil
}

func (d *door) erasePrompt(ctx context.Context, by musa.Actor, in *jobIn) (*struct{}, error) {
	id, err := musa.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Rights.ErasePrompt(ctx, by, id)
}

// silence is how often a quiet stream says that it is alive.
const silence = 15 * time.Second

// events streams a job as it changes: `state` when its state or place in the queue is new,
// `progress` in between. The stream ends with the job.
func (d *door) events(w http.ResponseWriter, r *http.Request) {
	by, err := actor(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	id, err := musa.ParseJobID(r.PathValue("id"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	changes, err := d.Studio.Watch(r.Context(), by, id)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	flush := http.NewResponseController(w)
	quiet := time.NewTicker(silence)
	defer quiet.Stop()
	var last musa.JobState
	for {
		select {
		case j, ok := <-changes:
			if !ok {
				return
			}
			name := "progress"
			if j.State != last {
				name, last = "state", j.State
			}
			raw, err := json.Marshal(jobOf(j))
			if err != nil {
				d.Log.Error("encode event", "job", id, "err", err)
				return
			}
			if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, raw); err != nil {
				return // the reader left
			}
		case <-quiet.C:
			if _, err := fmt.Fprint(w, ": \n\n"); err != nil {
				return
			}
		}
		if err := flush.Flush(); err != nil {
			return
		}
	}
}
