// Package engine says what any maker of pictures promises: given a task it first tells,
// without doing the work, what it would do, how long it takes and who would see the
// picture; then it does exactly that, reports as it goes, and stops when told to.
//
// Promises that enginetest holds every engine to:
//   - Plan does no work that is felt and refuses what cannot succeed, naming the field.
//   - Run returns outputs of the size and format that the plan named.
//   - Run returns the context's error within a second of its end.
//   - No error holds the prompt, a file name or a submitted value.
//
// Non-goals: an engine stores nothing, knows no owner and no price. It sees bytes and
// returns bytes.
package engine

import (
	"context"

	"musa"
)

// Engine makes pictures. Implementations are safe for concurrent use.
type Engine interface {
	// Name is the engine's name in requests and logs: "local".
	Name() string
	// Kinds lists what the engine can be asked for.
	Kinds() []musa.JobKind
	// Plan says what Run would do. It returns a *musa.Problem for a task that cannot be
	// carried out: ErrInvalid, ErrUnsupported or ErrTooLarge when the task is at fault,
	// ErrUnavailable when a part of the engine is missing.
	Plan(ctx context.Context, t Task) (Plan, error)
	// Run carries out a plan that Plan made for the same task. report may be nil; it is
	// called from one goroutine and must not block. When ctx ends, Run stops within a
	// second and returns an error that wraps ctx.Err().
	Run(ctx context.Context, t Task, p Plan, report func(Progress)) ([]Output, error)
}

// Task is one order of work, opened: its inputs are plain encoded pictures.
type Task struct {
	Kind   musa.JobKind
	Prompt musa.Prompt
	Params Params
	Inputs []Input
}

// Input is one picture that the task works on.
type Input struct {
	Asset musa.AssetID
	Data  []byte // the encoded picture
}

// The names of the steps, in the order in which an engine takes them.
const (
	StepDeblock = "deblock" // removes JPEG blocks and ringing
	StepDenoise = "denoise" // removes camera noise
	StepLight   = "light"   // exposure and contrast
	StepColour  = "colour"  // white balance and saturation
	StepUpscale = "upscale" // makes the picture larger
	StepSharpen = "sharpen" // sharper edges
)

// StepNames lists every step in the order in which they are taken.
func StepNames() []string {
	return []string{StepDeblock, StepDenoise, StepLight, StepColour, StepUpscale, StepSharpen}
}

// Step is one part of a plan, shown to its owner and switchable.
type Step struct {
	Name     string  `json:"name"`
	On       bool    `json:"on"`
	Why      string  `json:"why"`      // plain words from the picture's own measurements
	Strength float64 `json:"strength"` // 0..1; its meaning belongs to the step
	// Settings are the numbers behind the strength, by name, where a step has several.
	Settings map[string]float64 `json:"settings,omitempty"`
}

// Plan is what Run will do.
type Plan struct {
	Steps      []Step  `json:"steps"`
	Model      string  `json:"model"` // the main network, or "none"
	Scale      int     `json:"scale"` // 1, 2 or 4
	Width      int     `json:"width"` // of the output, in pixels
	Height     int     `json:"height"`
	Format     string  `json:"format"`  // of the output
	Seconds    float64 `json:"seconds"` // estimate for this machine when idle
	Tiles      int     `json:"tiles"`
	Understood string  `json:"understood"` // what was read from the prompt, in plain words; empty without a prompt
	Notice     string  `json:"notice"`     // who sees the picture
}

// Step finds a step by its name.
func (p Plan) Step(name string) (Step, bool) {
	for _, s := range p.Steps {
		if s.Name == name {
			return s, true
		}
	}
	return Step{}, false
}

// Progress tells how far a run is. Done never falls and never passes Total.
type Progress struct {
	Step    string
	Done    int // units of work done over the whole run
	Total   int
	Seconds float64 // estimate of what is left
}

// Output is one finished picture.
type Output struct {
	Data   []byte // encoded in Format, marked with its provenance
	Format string
	Width  int
	Height int
	Thumb  []byte // WebP, at most 512 pixels on its longer side
	Engine string
	Model  string
	Steps  []Step
	Checks []string // what was checked about the result, in plain words
}

// NoticeLocal is the notice of every engine that works inside this server.
const NoticeLocal = "On this server. Nothing leaves it."
