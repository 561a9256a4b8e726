package engine

// Remote is an engine that sends what it works on to a partner: a processor of the policy. One
// that is none keeps everything on this machine.
type Remote interface {
	Engine
	// Processor is the partner's name in the policy's `processors`.
	Processor() string
}

// Processor is the partner that an engine sends things to, or empty.
func Processor(e Engine) string {
	if r, ok := e.(Remote); ok {
		return r.Processor()
	}
	return ""
}
