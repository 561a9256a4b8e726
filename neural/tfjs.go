package neural

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// The TF.js graph format: model.json holds a frozen TensorFlow graph (NHWC, enumerations
// as base64 text, integers as strings) and a manifest of weights, which lie one after
// the other in shards that are to be joined first. Only what ESRGAN uses is understood.
type tfjsModel struct {
	Format    string `json:"format"`
	Signature struct {
		Inputs  map[string]struct{ Name string }
		Outputs map[string]struct{ Name string }
	} `json:"signature"`
	Topology struct {
		Node []tfjsNode `json:"node"`
	} `json:"modelTopology"`
	Manifest []struct {
		Paths   []string     `json:"paths"`
		Weights []tfjsWeight `json:"weights"`
	} `json:"weightsManifest"`
}

type tfjsNode struct {
	Name  string              `json:"name"`
	Op    string              `json:"op"`
	Input []string            `json:"input"`
	Attr  map[string]tfjsAttr `json:"attr"`
}

type tfjsAttr struct {
	S    string  `json:"s"`
	F    float32 `json:"f"`
	List struct {
		S []string `json:"s"`
		I []string `json:"i"`
	} `json:"list"`
}

type tfjsWeight struct {
	Name         string          `json:"name"`
	Shape        []int           `json:"shape"`
	DType        string          `json:"dtype"`
	Quantization json.RawMessage `json:"quantization"`
	data         []byte
}

// convertTFJS turns a graph model into ONNX, in NCHW throughout: every operation of the
// graph is either a convolution or works alike on both layouts once axes are renamed.
func convertTFJS(name string, modelJSON []byte, shards [][]byte) ([]byte, error) {
	var m tfjsModel
	if err := json.Unmarshal(modelJSON, &m); err != nil {
		return nil, fmt.Errorf("read the graph: %w", err)
	}
	if m.Format != "graph-model" || len(m.Manifest) != 1 || len(m.Signature.Outputs) != 1 {
		return nil, fmt.Errorf("not a graph model with one output and one group of weights")
	}
	c := &tfjsConverter{nodes: map[string]tfjsNode{}, weights: map[string]tfjsWeight{}, done: map[string]bool{}}
	if err := c.takeWeights(m.Manifest[0].Weights, slices.Concat(shards...)); err != nil {
		return nil, err
	}
	for _, n := range m.Topology.Node {
		c.nodes[n.Name] = n
	}
	for _, out := range m.Signature.Outputs {
		last, err := c.visit(trimPort(out.Name))
		if err != nil {
			return nil, err
		}
		c.g.node("Identity", graphOutput, []string{last})
	}
	return c.g.model(name), nil
}

type tfjsConverter struct {
	g       graph
	nodes   map[string]tfjsNode
	weights map[string]tfjsWeight
	done    map[string]bool
}

func trimPort(name string) string {
	if len(name) > 2 && name[len(name)-2:] == ":0" {
		return name[:len(name)-2]
	}
	return name
}

func (c *tfjsConverter) takeWeights(list []tfjsWeight, data []byte) error {
	for _, w := range list {
		if len(w.Quantization) != 0 {
			return fmt.Errorf("weight %s: quantised weights are not supported", w.Name)
		}
		if w.DType != "float32" && w.DType != "int32" {
			return fmt.Errorf("weight %s: type %s is not supported", w.Name, w.DType)
		}
		size := 4
		for _, d := range w.Shape {
			size *= d
		}
		if len(data) < size {
			return fmt.Errorf("weight %s is cut short", w.Name)
		}
		w.data, data = data[:size], data[size:]
		c.weights[w.Name] = w
	}
	if len(data) != 0 {
		return fmt.Errorf("%d bytes of weights are left over", len(data))
	}
	return nil
}

func (c *tfjsConverter) floats(name string, rank int) ([]float32, []int, error) {
	w, ok := c.weights[name]
	if !ok || w.DType != "float32" || len(w.Shape) != rank {
		return nil, nil, fmt.Errorf("%s is not a float constant of rank %d", name, rank)
	}
	return floatsOf(w.data), w.Shape, nil
}

// visit emits a node after everything it needs and returns its tensor's name. Shapes
// that are computed at run time are never needed: they only restate stride × size.
func (c *tfjsConverter) visit(name string) (string, error) {
	n, ok := c.nodes[name]
	if !ok {
		return "", fmt.Errorf("node %s does not exist", name)
	}
	if n.Op == "Placeholder" {
		return graphInput, nil
	}
	if c.done[name] {
		return name, nil
	}
	c.done[name] = true
	if err := c.emit(n); err != nil {
		return "", fmt.Errorf("node %s: %w", name, err)
	}
	return name, nil
}

func (c *tfjsConverter) visitAll(names []string) ([]string, error) {
	out := make([]string, len(names))
	for i, n := range names {
		t, err := c.visit(n)
		if err != nil {
			return nil, err
		}
		out[i] = t
	}
	return out, nil
}

func (c *tfjsConverter) emit(n tfjsNode) error {
	if want := map[string]int{"_FusedConv2D": 3, "Conv2DBackpropInput": 3, "BiasAdd": 2, "LeakyRelu": 1, "Identity": 1, "AddV2": 2, "Mul": 2}[n.Op]; want > len(n.Input) {
		return fmt.Errorf("%s has too few inputs", n.Op)
	}
	switch n.Op {
	case "_FusedConv2D":
		return c.fusedConv(n)
	case "Conv2DBackpropInput":
		return c.transposedConv(n)
	case "BiasAdd":
		return c.biasAdd(n)
	case "Mul":
		return c.scale(n)
	case "ConcatV2":
		return c.concat(n)
	case "LeakyRelu":
		return c.plain(n, "LeakyRelu", floatAttr("alpha", n.Attr["alpha"].F))
	case "AddV2":
		return c.plain(n, "Add")
	case "Identity":
		return c.plain(n, "Identity")
	}
	return fmt.Errorf("%s is not supported", n.Op)
}

func (c *tfjsConverter) plain(n tfjsNode, op string, attrs ...attribute) error {
	in, err := c.visitAll(n.Input)
	if err != nil {
		return err
	}
	c.g.node(op, n.Name, in, attrs...)
	return nil
}

func (c *tfjsConverter) concat(n tfjsNode) error {
	end := len(n.Input) - 1
	axis, ok := c.weights[n.Input[end]]
	if !ok || len(axis.data) != 4 || (axis.data[0] != 3 && axis.data[0] != 0xff) {
		return fmt.Errorf("only channels can be joined")
	}
	in, err := c.visitAll(n.Input[:end])
	if err != nil {
		return err
	}
	c.g.node("Concat", n.Name, in, intAttr("axis", 1))
	return nil
}

func (c *tfjsConverter) scale(n tfjsNode) error {
	factor, _, err := c.floats(n.Input[0], 0)
	if err != nil {
		return err
	}
	x, err := c.visit(n.Input[1])
	if err != nil {
		return err
	}
	c.g.floats(n.Name+".factor", factor)
	c.g.node("Mul", n.Name, []string{x, n.Name + ".factor"})
	return nil
}

func (c *tfjsConverter) biasAdd(n tfjsNode) error {
	x, err := c.visit(n.Input[0])
	if err != nil {
		return err
	}
	bias, dims, err := c.floats(n.Input[1], 1)
	if err != nil {
		return err
	}
	c.g.floats(n.Name+".bias", bias, dims[0], 1, 1)
	c.g.node("Add", n.Name, []string{x, n.Name + ".bias"})
	return nil
}

func (c *tfjsConverter) fusedConv(n tfjsNode) error {
	x, err := c.visit(n.Input[0])
	if err != nil {
		return err
	}
	if err := wantConv(n, 1); err != nil {
		return err
	}
	w, d, err := c.floats(n.Input[1], 4)
	if err != nil {
		return err
	}
	bias, _, err := c.floats(n.Input[2], 1)
	if err != nil {
		return err
	}
	kh, kw, ins, outs := d[0], d[1], d[2], d[3]
	c.g.floats(n.Name+".weight", transpose4(w, [4]int{kh, kw, ins, outs}, [4]int{3, 2, 0, 1}), outs, ins, kh, kw)
	c.g.floats(n.Name+".bias", bias, outs)
	in := []string{x, n.Name + ".weight", n.Name + ".bias"}
	k := intsAttr("kernel_shape", int64(kh), int64(kw))
	pads := intsAttr("pads", int64((kh-1)/2), int64((kw-1)/2), int64(kh/2), int64(kw/2))
	fused, err := fusedOps(n)
	if err != nil {
		return err
	}
	if !fused {
		c.g.node("Conv", n.Name, in, k, pads)
		return nil
	}
	c.g.node("Conv", n.Name+".linear", in, k, pads)
	c.g.node("LeakyRelu", n.Name, []string{n.Name + ".linear"}, floatAttr("alpha", n.Attr["leakyrelu_alpha"].F))
	return nil
}

// fusedOps says whether a leaky ReLU follows the bias.
func fusedOps(n tfjsNode) (leaky bool, err error) {
	var ops []string
	for _, s := range n.Attr["fused_ops"].List.S {
		ops = append(ops, plainText(s))
	}
	switch {
	case slices.Equal(ops, []string{"BiasAdd"}):
		return false, nil
	case slices.Equal(ops, []string{"BiasAdd", "LeakyRelu"}):
		return true, nil
	}
	return false, fmt.Errorf("its fused operations are not supported")
}

// transposedConv is the gradient of a SAME convolution: the output is exactly stride
// times the input, so kernel − stride pixels are cropped, the odd one after.
func (c *tfjsConverter) transposedConv(n tfjsNode) error {
	x, err := c.visit(n.Input[2])
	if err != nil {
		return err
	}
	stride, err := strconv.Atoi(at(n.Attr["strides"].List.I, 1))
	if err != nil {
		return fmt.Errorf("its stride is malformed")
	}
	if err := wantConv(n, stride); err != nil {
		return err
	}
	w, d, err := c.floats(n.Input[1], 4)
	if err != nil {
		return err
	}
	kh, kw, outs, ins := d[0], d[1], d[2], d[3]
	if kh < stride || kh != kw {
		return fmt.Errorf("its kernel is not supported")
	}
	c.g.floats(n.Name+".weight", transpose4(w, [4]int{kh, kw, outs, ins}, [4]int{3, 2, 0, 1}), ins, outs, kh, kw)
	before := int64(kh-stride) / 2
	after := int64(kh-stride) - before
	s := int64(stride)
	c.g.node("ConvTranspose", n.Name, []string{x, n.Name + ".weight"},
		intsAttr("kernel_shape", int64(kh), int64(kw)), intsAttr("pads", before, before, after, after), intsAttr("strides", s, s))
	return nil
}

// wantConv refuses any convolution but NHWC, SAME, undilated, of the given stride.
func wantConv(n tfjsNode, stride int) error {
	s := strconv.Itoa(stride)
	if plainText(n.Attr["padding"].S) != "SAME" || plainText(n.Attr["data_format"].S) != "NHWC" ||
		!slices.Equal(n.Attr["strides"].List.I, []string{"1", s, s, "1"}) ||
		!slices.Equal(n.Attr["dilations"].List.I, []string{"1", "1", "1", "1"}) {
		return fmt.Errorf("this kind of convolution is not supported")
	}
	return nil
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// plainText decodes an enumeration; text that is not base64 equals no known value.
func plainText(s string) string {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(raw)
}

// transpose4 reorders the axes of a tensor of rank 4: axis i of the result is axis order[i].
func transpose4(w []float32, dims, order [4]int) []float32 {
	stride := [4]int{dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1}
	out := make([]float32, 0, len(w))
	for a := range dims[order[0]] {
		for b := range dims[order[1]] {
			for c := range dims[order[2]] {
				for d := range dims[order[3]] {
					out = append(out, w[a*stride[order[0]]+b*stride[order[1]]+c*stride[order[2]]+d*stride[order[3]]])
				}
			}
		}
	}
	return out
}
