package neural

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// graph builds an ONNX model (IR 8, opset 13) with one float input "in" and one float
// output "out", both N×3×H×W. The bytes depend only on the calls made, so a conversion
// is reproducible. Field numbers are those of onnx.proto.
type graph struct {
	nodes   []byte
	weights []byte
}

const (
	irVersion    = 8
	opsetVersion = 13
	elemFloat    = 1
	elemInt64    = 7
	attrFloat    = 1
	attrInt      = 2
	attrInts     = 7
	graphInput   = "in"
	graphOutput  = "out"
)

type attribute struct {
	name string
	f    float32
	i    int64
	ints []int64
	kind uint64
}

func floatAttr(name string, v float32) attribute { return attribute{name: name, f: v, kind: attrFloat} }
func intAttr(name string, v int64) attribute     { return attribute{name: name, i: v, kind: attrInt} }
func intsAttr(name string, v ...int64) attribute {
	return attribute{name: name, ints: v, kind: attrInts}
}

func appendMessage(b []byte, field protowire.Number, msg []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), msg)
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendInt(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// node adds one operation that writes the single tensor output.
func (g *graph) node(op, output string, inputs []string, attrs ...attribute) {
	var n []byte
	for _, in := range inputs {
		n = appendText(n, 1, in)
	}
	n = appendText(n, 2, output)
	n = appendText(n, 3, output)
	n = appendText(n, 4, op)
	for _, a := range attrs {
		n = appendMessage(n, 5, a.encode())
	}
	g.nodes = appendMessage(g.nodes, 1, n)
}

func (a attribute) encode() []byte {
	b := appendText(nil, 1, a.name)
	switch a.kind {
	case attrFloat:
		b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(a.f))
	case attrInt:
		b = appendInt(b, 3, uint64(a.i))
	case attrInts:
		for _, v := range a.ints {
			b = appendInt(b, 8, uint64(v))
		}
	}
	return appendInt(b, 20, a.kind)
}

// floats adds a constant tensor of float32.
func (g *graph) floats(name string, data []float32, dims ...int) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	g.tensor(name, elemFloat, raw, dims)
}

// ints adds a constant vector of int64.
func (g *graph) ints(name string, data ...int64) {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	g.tensor(name, elemInt64, raw, []int{len(data)})
}

func (g *graph) tensor(name string, elem uint64, raw []byte, dims []int) {
	var t []byte
	for _, d := range dims {
		t = appendInt(t, 1, uint64(d))
	}
	t = appendInt(t, 2, elem)
	t = appendText(t, 8, name)
	t = appendMessage(t, 9, raw)
	g.weights = appendMessage(g.weights, 5, t)
}

// model closes the graph and returns the ONNX file.
func (g *graph) model(name string) []byte {
	body := append([]byte(nil), g.nodes...)
	body = appendText(body, 2, name)
	body = append(body, g.weights...)
	body = appendMessage(body, 11, port(graphInput, "h", "w"))
	body = appendMessage(body, 12, port(graphOutput, "oh", "ow"))

	m := appendInt(nil, 1, irVersion)
	m = appendText(m, 2, "musa")
	m = appendMessage(m, 7, body)
	opset := appendInt(appendText(nil, 1, ""), 2, opsetVersion)
	return appendMessage(m, 8, opset)
}

// port declares a float tensor 1×3×height×width with free height and width.
func port(name, height, width string) []byte {
	var dims []byte
	for _, fixed := range []uint64{1, 3} {
		dims = appendMessage(dims, 1, appendInt(nil, 1, fixed))
	}
	for _, free := range []string{height, width} {
		dims = appendMessage(dims, 1, appendText(nil, 2, free))
	}
	tensor := appendMessage(appendInt(nil, 1, elemFloat), 2, dims)
	return appendMessage(appendText(nil, 1, name), 2, appendMessage(nil, 1, tensor))
}
