package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"musa"
	"musa/engine"
)

// Subject is the engine under test and tasks that it must be able to carry out.
type Subject struct {
	Engine engine.Engine
	Short  engine.Task              // done in a few seconds
	Long   engine.Task              // runs for a second or more
	Format func(data []byte) string // names the format of an encoded picture; nil = by its first bytes
}

// Run holds an engine to the promises of package engine.
func Run(t *testing.T, s Subject) {
	if s.Format == nil {
		s.Format = sniff
	}
	t.Run("names itself", s.names)
	t.Run("plans", s.plans)
	t.Run("refuses with the field", s.refuses)
	t.Run("runs as planned", s.runs)
	t.Run("runs beside itself", s.besides)
	t.Run("stops when told", s.stops)
	t.Run("does not start what has ended", s.ended)
}

func (s Subject) names(t *testing.T) {
	if s.Engine.Name() == "" || strings.ToLower(s.Engine.Name()) != s.Engine.Name() {
		t.Errorf("name %q must be lower case and not empty", s.Engine.Name())
	}
	if !slices.Contains(s.Engine.Kinds(), s.Short.Kind) {
		t.Errorf("kinds %v lack the task's own kind", s.Engine.Kinds())
	}
}

func (s Subject) plans(t *testing.T) {
	a := mustPlan(t, s, s.Short)
	b := mustPlan(t, s, s.Short)
	// The estimate learns from each run, the rest of a plan follows from the task alone.
	a.Seconds, b.Seconds = 0, 0
	if !reflect.DeepEqual(a, b) {
		t.Errorf("two plans of one task differ:\n%+v\n%+v", a, b)
	}
	if a.Width < 1 || a.Height < 1 || a.Format == "" || a.Model == "" || a.Notice == "" || a.Tiles < 1 {
		t.Errorf("the plan leaves something open: %+v", a)
	}
	for _, step := range a.Steps {
		if step.Why == "" || !slices.Contains(engine.StepNames(), step.Name) {
			t.Errorf("step %+v has no known name or no reason", step)
		}
	}
	if _, err := json.Marshal(a); err != nil {
		t.Errorf("the plan cannot be kept: %v", err)
	}
}

func (s Subject) refuses(t *testing.T) {
	with := func(change func(*engine.Task)) engine.Task {
		task := s.Short
		task.Prompt = secretPrompt
		change(&task)
		return task
	}
	for _, c := range []struct {
		name, field string
		task        engine.Task
	}{
		{"kind", "kind", with(func(t *engine.Task) { t.Kind = "no_such_kind" })},
		{"no input", "inputs", with(func(t *engine.Task) { t.Inputs = nil })},
		{"scale", "params.scale", with(func(t *engine.Task) { t.Params.Scale = 3 })},
		{"quality", "params.quality", with(func(t *engine.Task) { t.Params.Quality = "perfect" })},
		{"format", "params.format", with(func(t *engine.Task) { t.Params.Format = "bmp" })},
		{"step", "params.steps", with(func(t *engine.Task) { t.Params.Steps = map[string]string{"magic": "on"} })},
		{"no picture", "inputs", with(func(t *engine.Task) { t.Inputs = []engine.Input{{Data: []byte("These are words, not a picture.")}} })},
		{"empty picture", "inputs", with(func(t *engine.Task) { t.Inputs = []engine.Input{{}} })},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Engine.Plan(t.Context(), c.task)
			var p *musa.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v, want a problem", err)
			}
			if p.Public == "" || p.Code == "" || p.Field != c.field {
				t.Errorf("problem %+v, want words, a code and the field %s", p, c.field)
			}
			if strings.Contains(err.Error()+p.Public, string(secretPrompt)) {
				t.Error("the problem echoes the prompt")
			}
		})
	}
}

const secretPrompt = musa.Prompt("a very private wish")

func (s Subject) runs(t *testing.T) {
	plan := mustPlan(t, s, s.Short)
	var seen []engine.Progress
	outs, err := s.Engine.Run(t.Context(), s.Short, plan, func(p engine.Progress) { seen = append(seen, p) })
	if err != nil {
		t.Fatal(err)
	}
	s.wantOutputs(t, plan, outs)
	if len(seen) == 0 {
		t.Fatal("no progress was reported")
	}
	last := 0
	for _, p := range seen {
		if p.Done < last || p.Done > p.Total || p.Seconds < 0 || p.Step == "" {
			t.Fatalf("progress %+v after %d is out of order", p, last)
		}
		last = p.Done
	}
	if end := seen[len(seen)-1]; end.Done != end.Total {
		t.Errorf("the last report is %d of %d", end.Done, end.Total)
	}
}

func (s Subject) wantOutputs(t *testing.T, plan engine.Plan, outs []engine.Output) {
	t.Helper()
	if len(outs) == 0 {
		t.Fatal("no output")
	}
	for _, o := range outs {
		if o.Width != plan.Width || o.Height != plan.Height || o.Format != plan.Format {
			t.Errorf("output is %d×%d %s, planned %d×%d %s", o.Width, o.Height, o.Format, plan.Width, plan.Height, plan.Format)
		}
		if got := s.Format(o.Data); got != o.Format {
			t.Errorf("the bytes are %s, said %s", got, o.Format)
		}
		if s.Format(o.Thumb) != "webp" {
			t.Errorf("the thumbnail is %q, want webp", s.Format(o.Thumb))
		}
		if o.Engine != s.Engine.Name() || o.Model != plan.Model || len(o.Checks) == 0 {
			t.Errorf("output does not say who made it and what was checked: %s %s %v", o.Engine, o.Model, o.Checks)
		}
	}
}

func (s Subject) besides(t *testing.T) {
	plan := mustPlan(t, s, s.Short)
	var wait sync.WaitGroup
	results := make([][]engine.Output, 2)
	errs := make([]error, 2)
	for i := range results {
		wait.Go(func() { results[i], errs[i] = s.Engine.Run(t.Context(), s.Short, plan, nil) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(results[0][0].Data, results[1][0].Data) {
		t.Error("two runs of one task side by side made different pictures")
	}
}

const moment = 50 * time.Millisecond

func (s Subject) stops(t *testing.T) {
	plan := mustPlan(t, s, s.Long)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The order to stop comes a moment after the first report, into work that is running.
	var once sync.Once
	told := make(chan time.Time, 1)
	_, err := s.Engine.Run(ctx, s.Long, plan, func(engine.Progress) {
		once.Do(func() {
			time.AfterFunc(moment, func() {
				told <- time.Now()
				cancel()
			})
		})
	})
	if ctx.Err() == nil {
		t.Fatalf("it ended before it was told to: %v", err)
	}
	if took := time.Since(<-told); took > time.Second {
		t.Errorf("it stopped %v after it was told, want within a second", took)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func (s Subject) ended(t *testing.T) {
	plan := mustPlan(t, s, s.Short)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if outs, err := s.Engine.Run(ctx, s.Short, plan, nil); !errors.Is(err, context.Canceled) || outs != nil {
		t.Errorf("a run that was over before it began gave %d outputs and %v", len(outs), err)
	}
}

func mustPlan(t *testing.T, s Subject, task engine.Task) engine.Plan {
	t.Helper()
	plan, err := s.Engine.Plan(t.Context(), task)
	if err != nil {
		t.Fatalf("plan: %v", err)
	}
	return plan
}

// sniff names a format by its first bytes.
func sniff(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return "jpeg"
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return "webp"
	case len(data) > 12 && string(data[4:12]) == "ftypavif":
		return "avif"
	}
	return ""
}

func known(data []byte) bool { return sniff(data) != "" }
