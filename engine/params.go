package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"musa"
)

// Params are the choices of a task. Zero values mean "choose for me".
type Params struct {
	Scale   int               `json:"scale,omitempty"`   // 1, 2 or 4
	Quality string            `json:"quality,omitempty"` // "fast" or "best"
	Format  string            `json:"format,omitempty"`  // jpeg, png, webp, avif; empty = like the input
	Steps   map[string]string `json:"steps,omitempty"`   // step name -> "auto", "on" or "off"
}

// The words that Params take.
const (
	QualityFast = "fast"
	QualityBest = "best"

	SwitchAuto = "auto"
	SwitchOn   = "on"
	SwitchOff  = "off"
)

// Formats lists the output formats that can be asked for.
func Formats() []string { return []string{"jpeg", "png", "webp", "avif"} }

// ParseParams reads the params of a request strictly and checks them. Empty input or
// null is the zero Params. Problems are ErrInvalid and name the field.
func ParseParams(raw []byte) (Params, error) {
	var p Params
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || string(trimmed) == "null" {
		return p, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		// The decoder's own text may echo what was submitted, so it is not kept as a cause.
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) && typed.Field != "" {
			return Params{}, invalid("params."+knownField(typed.Field), "This parameter has the wrong type.")
		}
		return Params{}, invalid("params", "The params are not understood. Known are scale, quality, format and steps.")
	}
	if dec.More() {
		return Params{}, invalid("params", "The params must be one JSON object.")
	}
	return p, p.Check()
}

// knownField keeps map keys, which are submitted text, out of a problem's field.
func knownField(path string) string {
	name, _, _ := strings.Cut(path, ".")
	if slices.Contains([]string{"scale", "quality", "format", "steps"}, name) {
		return name
	}
	return "steps"
}

// Check says what is wrong with the params: a *musa.Problem (ErrInvalid) with its Field.
func (p Params) Check() error {
	if !slices.Contains([]int{0, 1, 2, 4}, p.Scale) {
		return invalid("params.scale", "The scale must be 1, 2 or 4, or left out to choose for you.")
	}
	if !slices.Contains([]string{"", QualityFast, QualityBest}, p.Quality) {
		return invalid("params.quality", "The quality must be \"fast\" or \"best\", or left out to choose for you.")
	}
	if p.Format != "" && !slices.Contains(Formats(), p.Format) {
		return invalid("params.format", "The format must be jpeg, png, webp or avif, or left out to keep the picture's own.")
	}
	for name, value := range p.Steps {
		if !slices.Contains(StepNames(), name) {
			return invalid("params.steps", "There is no such step. The steps are "+strings.Join(StepNames(), ", ")+".")
		}
		if !slices.Contains([]string{"", SwitchAuto, SwitchOn, SwitchOff}, value) {
			return invalid("params.steps."+name, "A step can be \"auto\", \"on\" or \"off\".")
		}
	}
	return nil
}

// Switch is the state asked of a step; SwitchAuto when nothing was asked.
func (p Params) Switch(step string) string {
	if v := p.Steps[step]; v != "" {
		return v
	}
	return SwitchAuto
}

// Need is what an engine requires of a task before it looks at pictures.
type Need struct {
	Kinds     []musa.JobKind
	MinInputs int
	MaxInputs int
	Prompt    int // most bytes of prompt
}

// Check holds a task against the need. Problems are ErrInvalid or ErrTooLarge, with Field.
func (n Need) Check(t Task) error {
	if !slices.Contains(n.Kinds, t.Kind) {
		return invalid("kind", "This engine cannot do this kind of work. Choose another engine or another kind.")
	}
	if err := t.Params.Check(); err != nil {
		return err
	}
	switch {
	case len(t.Inputs) < n.MinInputs:
		return invalid("inputs", "A picture is needed. Upload one and name it in inputs.")
	case len(t.Inputs) > n.MaxInputs:
		return invalid("inputs", "Too many pictures for one job. Make one job for each.")
	case len(t.Prompt) > n.Prompt:
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "prompt_too_long", Field: "prompt",
			Public: "The prompt is too long. Shorten it."}
	}
	return nil
}

func invalid(field, public string) *musa.Problem {
	code := "invalid_" + strings.ReplaceAll(strings.TrimPrefix(field, "params."), ".", "_")
	return &musa.Problem{Kind: musa.ErrInvalid, Code: code, Field: field, Public: public}
}
