package local

import (
	"fmt"
	"math"

	"musa"
	"musa/engine"
	"musa/pix"
)

// chooser decides each step: what was switched comes first, then the words of the
// prompt, then what the picture measures. Thresholds were set by looking at
// photographs; they err towards leaving a picture alone.
type chooser struct {
	task  engine.Task
	wish  wish
	m     pix.Measures
	scale int
}

// verdict is what the measurements say about one step.
type verdict struct {
	on       bool
	why      string
	strength float64
	settings map[string]float64
}

func (c chooser) steps(whyScale string) []engine.Step {
	up := engine.Step{Name: engine.StepUpscale, On: c.scale > 1, Why: whyScale, Strength: float64(c.scale) / 4}
	return []engine.Step{
		c.step(engine.StepDeblock, c.wish.clean, c.deblock()),
		c.step(engine.StepDenoise, c.wish.clean, c.denoise()),
		c.step(engine.StepLight, c.wish.light != 0, c.light()),
		c.step(engine.StepColour, c.wish.colour, c.colour()),
		up,
		c.step(engine.StepSharpen, c.wish.sharp, c.sharpen()),
	}
}

// step joins switch, wish and verdict.
func (c chooser) step(name string, wished bool, v verdict) engine.Step {
	s := engine.Step{Name: name, On: v.on, Why: v.why, Strength: v.strength, Settings: v.settings}
	switch sw := c.task.Params.Switch(name); {
	case sw == engine.SwitchOff:
		s.On, s.Why = false, "Switched off. "+v.why
	case sw == engine.SwitchOn:
		s.On, s.Why = true, "Switched on. "+v.why
	case wished:
		s.On, s.Why = true, "The words ask for it. "+v.why
	case c.task.Kind == musa.KindUpscale && name != engine.StepDeblock:
		// Who asks for a larger picture gets that picture. Blocks go, because enlarged
		// they would look worse than before.
		s.On, s.Why = false, "Only enlarging was asked for. "+v.why
	}
	return s
}

const visibleBlocks = 0.22

func (c chooser) deblock() verdict {
	b := c.m.Blockiness
	level := 1.0
	switch {
	case b < visibleBlocks:
		level = 0
	case b > 1.2:
		level = 3
	case b > 0.6:
		level = 2
	}
	v := verdict{on: b >= visibleBlocks, strength: (level + 1) / 4, settings: map[string]float64{settingLevel: level}}
	v.why = "No JPEG blocks can be seen."
	if v.on {
		v.why = fmt.Sprintf("JPEG blocks can be seen (%.2f, visible from %.2f).", b, visibleBlocks)
	}
	return v
}

const visibleNoise = 5.0

func (c chooser) denoise() verdict {
	n := c.m.Noise
	v := verdict{on: n >= visibleNoise, strength: clamp(n/20, 0.35, 1)}
	v.why = fmt.Sprintf("There is little noise (%.1f of 255).", n)
	if v.on {
		v.why = fmt.Sprintf("There is noise (%.1f of 255, visible from %.0f).", n, visibleNoise)
	}
	return v
}

// light brings a middle tone that is far off part of the way back. A dark picture with
// bright lights is probably a night, and stays one.
func (c chooser) light() verdict {
	const dark, bright, flat = 0.3, 0.75, 0.55
	m := c.m
	v := verdict{why: fmt.Sprintf("Brightness and contrast are fine (middle tone %.0f %%).", 100*m.Median)}
	night := m.Median < 0.12 || m.High-m.Median > 0.6
	exposure, contrast := 0.0, 0.0
	switch {
	case m.Median < dark && night:
		v.why = "It is dark with bright lights, as a night is; that is kept."
	case m.Median < dark:
		exposure, v.on = clamp(exposureTo(m.Median, 0.42), 0, 0.4), true
		v.why = fmt.Sprintf("It is dark (middle tone %.0f %%).", 100*m.Median)
	case m.Median > bright && m.Low > 0.2:
		exposure, v.on = clamp(exposureTo(m.Median, 0.65), -0.4, 0), true
		v.why = fmt.Sprintf("It is pale (middle tone %.0f %%).", 100*m.Median)
	case m.Contrast() < flat:
		v.on, v.why = true, fmt.Sprintf("It is flat: it uses %.0f %% of the range from black to white.", 100*m.Contrast())
	}
	if m.Contrast() < flat {
		contrast = clamp(flat-m.Contrast()+0.2, 0, 0.6)
	}
	exposure, contrast = c.wishedLight(v.on, exposure, contrast)
	v.strength = clamp(math.Max(math.Abs(exposure), contrast), 0, 1)
	v.settings = map[string]float64{settingExposure: exposure, settingContrast: contrast}
	return v
}

// wishedLight gives words and switches an effect where the measurements see no need.
func (c chooser) wishedLight(needed bool, exposure, contrast float64) (float64, float64) {
	const little = 0.25
	switch {
	case c.wish.light > 0:
		return math.Max(exposure, little), contrast
	case c.wish.light < 0:
		return math.Min(exposure, -little), contrast
	case !needed && c.task.Params.Switch(engine.StepLight) == engine.SwitchOn:
		return exposureTo(clamp(c.m.Median, 0.1, 0.9), clamp(c.m.Median, 0.4, 0.6)) / 2, math.Max(contrast, little)
	}
	return exposure, contrast
}

// exposureTo is the exposure that moves one tone to another: pix lifts by a power of 2.5.
func exposureTo(from, to float64) float64 {
	from = clamp(from, 0.01, 0.99)
	return -math.Log(math.Log(to)/math.Log(from)) / math.Log(2.5)
}

// colour only ever adds saturation by itself: whether a lean towards one colour is a
// fault or the scene, measurements cannot tell. Asked for, it takes half the lean away.
func (c chooser) colour() verdict {
	const grey, pale, lean = 0.004, 0.06, 0.12
	m := c.m
	gains := map[string]float64{settingRed: 1, settingGreen: 1, settingBlue: 1, settingSaturation: 0}
	v := verdict{why: "The colours are balanced.", strength: 0.3, settings: gains}
	largest := 0.0
	for b, name := range []string{settingRed, settingGreen, settingBlue} {
		largest = math.Max(largest, math.Abs(m.Cast[b]-1))
		if c.wish.colour || c.task.Params.Switch(engine.StepColour) == engine.SwitchOn {
			gains[name] = clamp(1/math.Sqrt(math.Max(m.Cast[b], 0.1)), 0.8, 1.25)
			gains[settingSaturation] = 0.15
		}
	}
	switch {
	case m.Colourful < grey:
		v.why = "It is black and white."
	case m.Colourful < pale && m.Mean > 0.15:
		v.on, v.why = true, "The colours are pale."
		gains[settingSaturation] = 0.25
	case largest > lean:
		v.why = "The colours lean to one side, which may be the scene; switched on, half of it is taken away."
	}
	return v
}

func (c chooser) sharpen() verdict {
	const soft = 0.3
	v := verdict{on: c.m.Sharpness < soft && c.scale == 1 && c.m.Noise < visibleNoise, strength: 0.4}
	switch {
	case c.m.Sharpness >= soft:
		v.why = "Edges are sharp enough."
	case c.scale > 1:
		v.why = "Edges are soft; enlarging already sharpens them."
	case c.m.Noise >= visibleNoise:
		v.why = "Edges are soft, but sharpening would bring out the noise."
	default:
		v.why = "Edges are soft."
	}
	return v
}

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }
