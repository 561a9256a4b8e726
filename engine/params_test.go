package engine_test

import (
	"errors"
	"strings"
	"testing"

	"musa"
	"musa/engine"
)

func TestParamsNameTheFieldAndNeverEchoTheValue(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, c := range []struct{ name, raw, field string }{
		{"scale", `{"scale":3}`, "params.scale"},
		{"scale type", `{"scale":"` + secret + `"}`, "params.scale"},
		{"quality", `{"quality":"` + secret + `"}`, "params.quality"},
		{"format", `{"format":"` + secret + `"}`, "params.format"},
		{"step name", `{"steps":{"` + secret + `":"on"}}`, "params.steps"},
		{"step value", `{"steps":{"sharpen":"` + secret + `"}}`, "params.steps.sharpen"},
		{"step type", `{"steps":{"` + secret + `":1}}`, "params.steps"},
		{"unknown", `{"` + secret + `":1}`, "params"},
		{"broken", `{"scale":`, "params"},
		{"two values", `{} {}`, "params"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := engine.ParseParams([]byte(c.raw))
			var p *musa.Problem
			if !errors.As(err, &p) || !errors.Is(err, musa.ErrInvalid) {
				t.Fatalf("got %v, want an invalid problem", err)
			}
			if p.Field != c.field {
				t.Errorf("field %q, want %q", p.Field, c.field)
			}
			if strings.Contains(p.Public+p.Error()+p.Field+p.Code, secret) {
				t.Error("the problem echoes what was submitted")
			}
		})
	}
}

func TestParamsThatAreFine(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "null", "{}", `{"scale":4,"quality":"best","format":"avif","steps":{"light":"off","sharpen":"auto"}}`} {
		p, err := engine.ParseParams([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if p.Switch(engine.StepDenoise) != engine.SwitchAuto {
			t.Errorf("%s: a step that was not named is not automatic", raw)
		}
	}
}

func TestNeedNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	need := engine.Need{Kinds: []musa.JobKind{musa.KindUpscale}, MinInputs: 1, MaxInputs: 1, Prompt: 10}
	one := []engine.Input{{Data: []byte("x")}}
	for _, c := range []struct {
		task  engine.Task
		field string
	}{
		{engine.Task{Kind: musa.KindVideo, Inputs: one}, "kind"},
		{engine.Task{Kind: musa.KindUpscale}, "inputs"},
		{engine.Task{Kind: musa.KindUpscale, Inputs: append(one, one...)}, "inputs"},
		{engine.Task{Kind: musa.KindUpscale, Inputs: one, Prompt: "eleven byte"}, "prompt"},
		{engine.Task{Kind: musa.KindUpscale, Inputs: one, Params: engine.Params{Scale: 3}}, "params.scale"},
	} {
		var p *musa.Problem
		if err := need.Check(c.task); !errors.As(err, &p) || p.Field != c.field {
			t.Errorf("got %v, want a problem with field %s", err, c.field)
		}
	}
	if err := need.Check(engine.Task{Kind: musa.KindUpscale, Inputs: one, Prompt: "ten bytes!"}); err != nil {
		t.Errorf("a task that fits is refused: %v", err)
	}
}
