package local

import (
	"errors"
	"fmt"

	"musa"
	"musa/engine"
	"musa/pix"
)

var errResult = errors.New("the result failed its check")

// sight is what is compared of a picture before and after.
type sight struct {
	contrast float64
	mean     float64 // luma of what can be seen, 0 to 1
}

func look(img *pix.Image) (sight, error) {
	m, err := img.Measure()
	if err != nil {
		return sight{}, fmt.Errorf("measure: %w", err)
	}
	if !img.Alpha() {
		return sight{contrast: m.Contrast(), mean: m.Mean}, nil
	}
	return sight{contrast: m.Contrast(), mean: visibleMean(img)}, nil
}

// visibleMean weighs luma by opacity: what lies under transparent pixels may change.
func visibleMean(img *pix.Image) float64 {
	const samples = 1 << 20
	v, n := img.View(), img.Bands()
	step := max(1, len(v)/n/samples) * n
	var sum, weight float64
	for i := 0; i+n <= len(v); i += step {
		a := float64(v[i+n-1])
		y := float64(v[i])
		if n == 4 {
			y = 0.299*y + 0.587*float64(v[i+1]) + 0.114*float64(v[i+2])
		}
		sum += y * a / 255
		weight += a
	}
	if weight == 0 {
		return 0
	}
	return sum / weight
}

// check looks at the result before anyone pays for it.
func check(img *pix.Image, p engine.Plan, before sight) ([]string, error) {
	w, h := img.Size()
	if w != p.Width || h != p.Height {
		return nil, failed(fmt.Errorf("%w: it is %d×%d, planned %d×%d", errResult, w, h, p.Width, p.Height))
	}
	after, err := look(img)
	if err != nil {
		return nil, err
	}
	const some, none = 0.04, 0.01 // contrast of a picture with content, and of an empty one
	if before.contrast > some && after.contrast < none {
		return nil, failed(fmt.Errorf("%w: it is blank", errResult))
	}
	checks := []string{fmt.Sprintf("It measures %d × %d pixels, as planned.", w, h), "It is not blank."}
	light, _ := p.Step(engine.StepLight)
	colour, _ := p.Step(engine.StepColour)
	if light.On || colour.On {
		return checks, nil
	}
	const moved = 0.06
	if d := after.mean - before.mean; d > moved || d < -moved {
		return nil, failed(fmt.Errorf("%w: its brightness moved by %.2f", errResult, d))
	}
	return append(checks, "It is as bright as the original."), nil
}

func failed(cause error) error {
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "result_failed_check", Cause: cause,
		Public: "The result did not pass our check, so you get none and pay nothing. Try again with other steps."}
}
