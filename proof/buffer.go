package proof

import "sync"

// buffers are used again: most files are far smaller than one, and clearing a new one for each
// took five times as long as looking.
var buffers = sync.Pool{New: func() any { return new([chunk + 2*window]byte) }}

// buffer lends an empty one; release gives it back.
func buffer() (b []byte, release func()) {
	whole := buffers.Get().(*[chunk + 2*window]byte)
	return whole[:0], func() { buffers.Put(whole) }
}
