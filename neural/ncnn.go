package neural

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The ncnn format: a text file names layers in order, one a line
//
//	Type name inputs outputs [inputs...] [outputs...] key=value...
//
// and a binary file holds their weights in the same order: for each weight tensor a tag
// (0 = float32, 0x01306B47 = float16 padded to four bytes), then bias as plain float32.
// Only what the pinned networks use is understood; anything else is an error rather than
// a network that computes something subtly different.
const (
	ncnnMagic   = "7767517"
	ncnnHalfTag = 0x01306B47
)

type ncnnLayer struct {
	kind, name      string
	inputs, outputs []string
	params          map[int]string
}

// convertNCNN turns a .param and a .bin file into ONNX.
func convertNCNN(name string, param, bin []byte) ([]byte, error) {
	layers, err := parseNCNN(string(param))
	if err != nil {
		return nil, err
	}
	c := &ncnnConverter{bin: bin, alias: map[string]string{}}
	for i, l := range layers {
		if i == len(layers)-1 {
			c.last = true
		}
		if err := c.layer(l); err != nil {
			return nil, fmt.Errorf("layer %s: %w", l.name, err)
		}
	}
	if len(c.bin) != 0 {
		return nil, fmt.Errorf("%d bytes of weights are left over", len(c.bin))
	}
	return c.g.model(name), nil
}

func parseNCNN(text string) ([]ncnnLayer, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 3 || strings.TrimSpace(lines[0]) != ncnnMagic {
		return nil, fmt.Errorf("not an ncnn network")
	}
	var layers []ncnnLayer
	for _, line := range lines[2:] {
		l, err := parseNCNNLayer(strings.Fields(line))
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return layers, nil
}

func parseNCNNLayer(f []string) (ncnnLayer, error) {
	if len(f) < 4 {
		return ncnnLayer{}, fmt.Errorf("a layer line is too short")
	}
	in, errIn := strconv.Atoi(f[2])
	out, errOut := strconv.Atoi(f[3])
	if errIn != nil || errOut != nil || in < 0 || out < 0 || len(f) < 4+in+out {
		return ncnnLayer{}, fmt.Errorf("layer %s: wrong counts", f[1])
	}
	l := ncnnLayer{kind: f[0], name: f[1], inputs: f[4 : 4+in], outputs: f[4+in : 4+in+out], params: map[int]string{}}
	for _, kv := range f[4+in+out:] {
		k, v, ok := strings.Cut(kv, "=")
		key, err := strconv.Atoi(k)
		if !ok || err != nil {
			return ncnnLayer{}, fmt.Errorf("layer %s: a parameter is malformed", l.name)
		}
		l.params[key] = v
	}
	return l, nil
}

// int reads a whole parameter; absent means the default.
func (l ncnnLayer) int(key, absent int) (int, error) {
	s, ok := l.params[key]
	if !ok {
		return absent, nil
	}
	v, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("parameter %d: %w", key, err)
	}
	return v, nil
}

// only refuses parameters that this converter does not know.
func (l ncnnLayer) only(keys ...int) error {
	for k := range l.params {
		known := false
		for _, want := range keys {
			known = known || k == want
		}
		if !known {
			return fmt.Errorf("parameter %d of a %s is not supported", k, l.kind)
		}
	}
	return nil
}

type ncnnConverter struct {
	g     graph
	bin   []byte
	alias map[string]string // a split's outputs and the network's input -> the ONNX tensor
	last  bool              // the layer in hand is the network's output
}

func (c *ncnnConverter) resolve(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n
		if a, ok := c.alias[n]; ok {
			out[i] = a
		}
	}
	return out
}

// output is the ONNX name of what the layer writes.
func (c *ncnnConverter) output(l ncnnLayer) string {
	if c.last {
		return graphOutput
	}
	return l.outputs[0]
}

func (c *ncnnConverter) layer(l ncnnLayer) error {
	if len(l.outputs) == 0 {
		return fmt.Errorf("it has no output")
	}
	in := c.resolve(l.inputs)
	switch l.kind {
	case "Input":
		c.alias[l.outputs[0]] = graphInput
		return nil
	case "Split":
		for _, o := range l.outputs {
			c.alias[o] = in[0]
		}
		return nil
	case "Convolution", "Deconvolution":
		return c.convolution(l, in)
	case "InnerProduct":
		return c.innerProduct(l, in)
	case "Pooling":
		return c.globalAverage(l, in)
	case "Scale":
		if l.params[0] != "-233" || len(in) != 2 {
			return fmt.Errorf("only a scale by another layer is supported")
		}
		c.g.node("Mul", c.output(l), in)
		return l.only(0)
	case "Eltwise":
		if l.params[0] != "1" {
			return fmt.Errorf("only a sum is supported")
		}
		c.g.node("Add", c.output(l), in)
		return l.only(0)
	case "Crop":
		return c.crop(l, in)
	}
	return fmt.Errorf("%s is not supported", l.kind)
}

func (c *ncnnConverter) globalAverage(l ncnnLayer, in []string) error {
	if l.params[0] != "1" || l.params[4] != "1" {
		return fmt.Errorf("only a global average is supported")
	}
	c.g.node("GlobalAveragePool", c.output(l), in)
	return l.only(0, 4)
}

// crop cuts the same border off all sides. The reference blob only repeats what follows
// from the offsets when sides are a multiple of four, which the tiler guarantees.
func (c *ncnnConverter) crop(l ncnnLayer, in []string) error {
	x, errX := l.int(0, 0)
	y, errY := l.int(1, 0)
	if errX != nil || errY != nil || x <= 0 || y <= 0 {
		return fmt.Errorf("it has no offsets")
	}
	c.g.ints(l.name+".starts", int64(y), int64(x))
	c.g.ints(l.name+".ends", int64(-y), int64(-x))
	c.g.ints(l.name+".axes", 2, 3)
	c.g.node("Slice", c.output(l), []string{in[0], l.name + ".starts", l.name + ".ends", l.name + ".axes"})
	return l.only(0, 1)
}

func (c *ncnnConverter) convolution(l ncnnLayer, in []string) error {
	if err := l.only(0, 1, 2, 3, 4, 5, 6, 9, -23310); err != nil {
		return err
	}
	var p [7]int
	for key, absent := range []int{0, 1, 1, 1, 0, 0, 0} {
		v, err := l.int(key, absent)
		if err != nil {
			return err
		}
		p[key] = v
	}
	outs, k, dilation, stride, pad, count := p[0], p[1], p[2], p[3], p[4], p[6]
	if outs < 1 || k < 1 || count%(outs*k*k) != 0 || p[5] != 1 {
		return fmt.Errorf("its sizes do not fit")
	}
	ins := count / (outs * k * k)
	w, err := c.weights(count)
	if err != nil {
		return err
	}
	bias, err := c.raw(outs)
	if err != nil {
		return err
	}
	op, dims := "Conv", []int{outs, ins, k, k}
	if l.kind == "Deconvolution" {
		op, dims, w = "ConvTranspose", []int{ins, outs, k, k}, swapLeading(w, outs, ins, k*k)
	}
	c.g.floats(l.name+".weight", w, dims...)
	c.g.floats(l.name+".bias", bias, outs)
	s, d, b, kk := int64(stride), int64(dilation), int64(pad), int64(k)
	attrs := []attribute{intsAttr("dilations", d, d), intsAttr("kernel_shape", kk, kk), intsAttr("pads", b, b, b, b), intsAttr("strides", s, s)}
	return c.activated(l, op, []string{in[0], l.name + ".weight", l.name + ".bias"}, attrs)
}

// innerProduct becomes a 1×1 convolution: its input is a global average, 1×C×1×1.
func (c *ncnnConverter) innerProduct(l ncnnLayer, in []string) error {
	outs, errOut := l.int(0, 0)
	count, errCount := l.int(2, 0)
	if errOut != nil || errCount != nil || outs < 1 || count%outs != 0 || l.params[1] != "1" {
		return fmt.Errorf("its sizes do not fit")
	}
	w, err := c.weights(count)
	if err != nil {
		return err
	}
	bias, err := c.raw(outs)
	if err != nil {
		return err
	}
	c.g.floats(l.name+".weight", w, outs, count/outs, 1, 1)
	c.g.floats(l.name+".bias", bias, outs)
	if err := l.only(0, 1, 2, 9); err != nil {
		return err
	}
	return c.activated(l, "Conv", []string{in[0], l.name + ".weight", l.name + ".bias"}, nil)
}

// activated adds an operation and the activation that ncnn fuses into it.
func (c *ncnnConverter) activated(l ncnnLayer, op string, in []string, attrs []attribute) error {
	kind, err := l.int(9, 0)
	if err != nil {
		return err
	}
	out := c.output(l)
	if kind == 0 {
		c.g.node(op, out, in, attrs...)
		return nil
	}
	linear := l.name + ".linear"
	c.g.node(op, linear, in, attrs...)
	switch kind {
	case 1:
		c.g.node("Relu", out, []string{linear})
	case 2:
		slope, ok := strings.CutPrefix(l.params[-23310], "1,")
		alpha, err := strconv.ParseFloat(slope, 32)
		if !ok || err != nil {
			return fmt.Errorf("its slope is malformed")
		}
		c.g.node("LeakyRelu", out, []string{linear}, floatAttr("alpha", float32(alpha)))
	case 4:
		c.g.node("Sigmoid", out, []string{linear})
	default:
		return fmt.Errorf("activation %d is not supported", kind)
	}
	return nil
}

// weights takes n tagged weights from the binary file.
func (c *ncnnConverter) weights(n int) ([]float32, error) {
	if len(c.bin) < 4 {
		return nil, fmt.Errorf("its weights are missing")
	}
	tag := binary.LittleEndian.Uint32(c.bin)
	c.bin = c.bin[4:]
	switch tag {
	case 0:
		return c.raw(n)
	case ncnnHalfTag:
		size := (2*n + 3) &^ 3
		if len(c.bin) < size {
			return nil, fmt.Errorf("its weights are cut short")
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = halfToFloat(binary.LittleEndian.Uint16(c.bin[2*i:]))
		}
		c.bin = c.bin[size:]
		return out, nil
	}
	return nil, fmt.Errorf("weights of kind %#x are not supported", tag)
}

// raw takes n plain float32 from the binary file.
func (c *ncnnConverter) raw(n int) ([]float32, error) {
	if len(c.bin) < 4*n {
		return nil, fmt.Errorf("its weights are cut short")
	}
	out := floatsOf(c.bin[:4*n])
	c.bin = c.bin[4*n:]
	return out, nil
}

func floatsOf(raw []byte) []float32 {
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// swapLeading turns a×b×rest into b×a×rest.
func swapLeading(w []float32, a, b, rest int) []float32 {
	out := make([]float32, len(w))
	for i := range a {
		for j := range b {
			copy(out[(j*a+i)*rest:][:rest], w[(i*b+j)*rest:][:rest])
		}
	}
	return out
}

// halfToFloat widens an IEEE 754 half.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, int(h>>10&31), uint32(h&1023)
	switch exp {
	case 0: // zero and subnormals: frac × 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)/(1<<24)))
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | uint32(exp+112)<<23 | frac<<13)
}
