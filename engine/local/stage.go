package local

import (
	"strings"

	"musa/engine"
	"musa/neural"
)

// fastPixels is the size above which the fast network is taken unless asked otherwise.
const fastPixels = 2_000_000

// upscalers lists the networks that a scale takes, one after the other.
func upscalers(scale, pixels int, quality string) []neural.Network {
	fast := quality == engine.QualityFast || quality == "" && pixels > fastPixels
	switch {
	case scale == 2 && fast:
		return []neural.Network{neural.UpConv2x}
	case scale == 2:
		return []neural.Network{neural.CUNet2x}
	case scale == 4 && fast:
		return []neural.Network{neural.UpConv2x, neural.UpConv2x}
	case scale == 4:
		return []neural.Network{neural.ESRGAN4x}
	}
	return nil
}

// noModel is the model of a plan that needs no network to enlarge.
const noModel = "none"

// modelName is what a plan calls its networks; networksOf reads it back.
func modelName(nets []neural.Network) string {
	if len(nets) == 0 {
		return noModel
	}
	names := make([]string, len(nets))
	for i, n := range nets {
		names[i] = string(n)
	}
	return strings.Join(names, "+")
}

func networksOf(model string) []neural.Network {
	if model == noModel {
		return nil
	}
	var nets []neural.Network
	for _, name := range strings.Split(model, "+") {
		nets = append(nets, neural.Network(name))
	}
	return nets
}

// stage is one pass over the whole picture: a step may take several.
type stage struct {
	step    engine.Step
	network neural.Network // empty = libvips
}

func (st stage) scale() int {
	if st.network == "" {
		return 1
	}
	return st.network.Scale()
}

// units is how many reports of progress the stage makes.
func (st stage) units(w, h int) int {
	if st.network == "" {
		return 1
	}
	return neural.Tiles(st.network, w, h)
}

var deblockers = [...]neural.Network{neural.CUNetN0, neural.CUNetN1, neural.CUNetN2, neural.CUNetN3}

// stages lays out what a plan does, in order.
func stages(p engine.Plan) []stage {
	var out []stage
	for _, s := range p.Steps {
		switch {
		case !s.On:
		case s.Name == engine.StepDeblock:
			level := min(max(int(s.Settings[settingLevel]), 0), len(deblockers)-1)
			out = append(out, stage{step: s, network: deblockers[level]})
		case s.Name == engine.StepUpscale:
			for _, n := range networksOf(p.Model) {
				out = append(out, stage{step: s, network: n})
			}
		default:
			out = append(out, stage{step: s})
		}
	}
	return out
}

// The names of what Step.Settings holds.
const (
	settingLevel      = "level"
	settingExposure   = "exposure"
	settingContrast   = "contrast"
	settingRed        = "red"
	settingGreen      = "green"
	settingBlue       = "blue"
	settingSaturation = "saturation"
)
