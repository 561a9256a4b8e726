package studio

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/policy"
	"musa/vault"
)

// MaxPrompt is the longest description, in bytes.
const MaxPrompt = 32000

// Order is what somebody asks the studio to do.
type Order struct {
	Kind   musa.JobKind
	Prompt musa.Prompt
	Inputs []musa.AssetID
	Engine string // empty: the studio's own choice
	Params engine.Params
	// Commercial says that what is made will be used commercially.
	Commercial bool
}

// Plan is what an order would do and cost, before anybody commits to it.
type Plan struct {
	engine.Plan
	Engine   string
	Credits  int64
	Original string // what happens to the original, from the policy
}

// prompted and history are the sealed records of a job.
type prompted struct {
	Prompt musa.Prompt `json:"prompt"`
}

// History is the sealed account of what a job was asked and what it planned.
type History struct {
	Params engine.Params `json:"params"`
	Plan   engine.Plan   `json:"plan"`
	Origin *Origin       `json:"origin,omitempty"`
}

// Plan tells what an order would do. It refuses what Order would refuse.
func (s *Studio) Plan(ctx context.Context, by musa.Actor, o Order) (Plan, error) {
	_, p, err := s.plan(ctx, by, o)
	return p, err
}

// plan checks an order, opens its inputs under the policy's grant and asks the engine.
func (s *Studio) plan(ctx context.Context, by musa.Actor, o Order) ([]item, Plan, error) {
	e, err := s.engine(o)
	if err != nil {
		return nil, Plan{}, err
	}
	if err := s.reach(ctx, by, e); err != nil {
		return nil, Plan{}, err
	}
	if len(o.Prompt.Reveal()) > MaxPrompt {
		return nil, Plan{}, &musa.Problem{Kind: musa.ErrTooLarge, Code: "prompt_too_long", Field: "prompt",
			Public: fmt.Sprintf("The description is longer than %d characters. Shorten it.", MaxPrompt)}
	}
	var items []item
	for i, id := range o.Inputs {
		it, err := s.load(ctx, by, musa.PurposeGenerate, id)
		if err != nil {
			return nil, Plan{}, inField(fmt.Sprintf("inputs[%d]", i), err)
		}
		items = append(items, it)
	}
	inputs, release, err := s.inputs(ctx, items)
	if err != nil {
		return nil, Plan{}, err
	}
	defer release()
	p, err := e.Plan(ctx, engine.Task{Kind: o.Kind, Prompt: o.Prompt, Params: o.Params, Inputs: inputs})
	if err != nil {
		return nil, Plan{}, err
	}
	plan := Plan{Plan: p, Engine: e.Name(), Credits: s.Price}
	if len(items) > 0 {
		after := items[0].asset
		after.JobEnded, after.Ends = musa.At(s.Clock()), 0
		plan.Original = s.Policy().Fate(vault.AssetItem(after))
	}
	return items, plan, nil
}

func (s *Studio) engine(o Order) (engine.Engine, error) {
	name := o.Engine
	if name == "" {
		name = s.Engine
	}
	e, ok := s.Engines[name]
	if !ok {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "engine_unknown", Field: "engine",
			Public: "There is no such engine here. Leave the field out to let the studio choose."}
	}
	if !slices.Contains(e.Kinds(), o.Kind) {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "kind_unsupported", Field: "kind",
			Public: "This studio cannot do that kind of work yet. It can: " + words(e.Kinds()) + "."}
	}
	return e, nil
}

func words(kinds []musa.JobKind) string {
	var out string
	for i, k := range kinds {
		if i > 0 {
			out += ", "
		}
		out += string(k)
	}
	return out
}

// Order admits a job: credits are held and the job's row commits in one transaction, then
// the queue is told. If telling fails the sweep tells it later. The job is returned as it was
// at that moment, without another look. Promise E-02.
func (s *Studio) Order(ctx context.Context, by musa.Actor, o Order) (Job, error) {
	if err := open(by); err != nil {
		return Job{}, err
	}
	// Before anything is spent: a result that was paid for is never thrown away for want of room.
	if err := s.room(ctx, by, 1); err != nil {
		return Job{}, err
	}
	items, plan, err := s.plan(ctx, by, o)
	if err != nil {
		return Job{}, err
	}
	now := s.Clock()
	doc := s.Policy()
	id := musa.NewJobID(now)
	j := db.Job{ID: id, Owner: by.Subject, Author: by.Author(), Kind: o.Kind, State: musa.JobQueued, Session: by.Session,
		Engine: plan.Engine, Model: plan.Model, Held: s.Price, Seconds: plan.Seconds, Lane: Lane, PolicyVersion: doc.Ref(), Commercial: o.Commercial || commercial(items)}
	records := []db.Record{
		{ID: musa.NewRecordID(now), Owner: by.Subject, Category: musa.CategoryPrompt, Job: id, Tier: by.Tier, State: musa.AssetActive},
		{ID: musa.NewRecordID(now), Owner: by.Subject, Category: musa.CategoryHistory, Job: id, Tier: by.Tier, State: musa.AssetActive},
	}
	contents := []any{prompted{o.Prompt}, History{Params: o.Params, Plan: plan.Plan}}
	if err := s.mayMake(by, records, musa.At(now)); err != nil {
		return Job{}, err
	}
	var (
		announce bool
		placed   Job
	)
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		j.Created, announce = tx.Now, false
		if err := tx.Hold(ctx, by.Subject, id, s.Price); err != nil {
			return unaffordable(err)
		}
		if err := vault.BelongRecords(ctx, tx, s.Versions(), records); err != nil {
			return err
		}
		out, err := tx.OutCount(ctx, by.Subject, Lane)
		if err != nil {
			return err
		}
		if announce = out < db.MaxOut; announce {
			j.Announced = tx.Now
		}
		if err := tx.InsertJob(ctx, j, o.Inputs...); err != nil {
			return err
		}
		placed = Job{Job: j, Prompt: o.Prompt, Plan: &plan.Plan}
		if placed.Inputs, err = s.occupy(ctx, tx, by, items); err != nil {
			return err
		}
		if placed.Position, err = tx.Position(ctx, id); err != nil {
			return err
		}
		for i, r := range records {
			secret, err := s.Vault.SealRecord(ctx, tx, r, contents[i])
			if err != nil {
				return err
			}
			if err := tx.InsertRecord(ctx, r, secret); err != nil {
				return err
			}
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "job_admitted", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return Job{}, fmt.Errorf("order %s: %w", id, err)
	}
	if announce {
		if err := s.Queue.Announce(ctx, Lane, id); err != nil {
			// The row is committed and announced in the database: the sweep repeats it.
			s.Log.Warn("announce job", "job", id, "err", err)
		}
	}
	return placed, nil
}

// commercial says that a job works on something that is used commercially: then so is what it
// makes.
func commercial(items []item) bool {
	return slices.ContainsFunc(items, func(i item) bool { return i.asset.Commercial })
}

func (s *Studio) mayMake(by musa.Actor, records []db.Record, now musa.Millis) error {
	for _, r := range records {
		r.Created = now
		f := policy.Ask(now, by, musa.PurposeGenerate, made(vault.RecordItem(r)))
		if err := s.Policy().Decide(f).Err(); err != nil {
			return err
		}
	}
	return nil
}

// occupy moves the ends of inputs that a job now uses, after a look at whether they still
// live: their end may have come between the plan and this transaction. It returns them as
// their owner sees them now.
func (s *Studio) occupy(ctx context.Context, tx db.Tx, by musa.Actor, items []item) ([]Asset, error) {
	var seen []Asset
	for _, it := range items {
		a, err := tx.Asset(ctx, it.asset.ID)
		if err != nil {
			return nil, err
		}
		if err := Present(by, a); err != nil {
			return nil, err
		}
		if err := s.Policy().Decide(facts(by, musa.PurposeGenerate, a, tx.Now)).Err(); err != nil {
			return nil, err
		}
		vault.SetEnd(s.Versions(), tx.Now, &a)
		if err := tx.SaveAsset(ctx, a); err != nil {
			return nil, err
		}
		var info Info
		if err := s.Vault.OpenRecord(it.grant, it.locked, &info); err != nil {
			return nil, err
		}
		sources, err := tx.SourcesOf(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		seen = append(seen, s.view(a, info, sources))
	}
	return seen, nil
}

func unaffordable(err error) error {
	if !errors.Is(err, musa.ErrUnaffordable) {
		return err
	}
	return &musa.Problem{Kind: musa.ErrUnaffordable, Code: "not_enough_credits", Cause: err,
		Public: "There are not enough credits left for this job. Nothing was started or charged."}
}
