package policy

// Lint finds what contradicts itself in a document that Parse has read. No faults means
// that a server may start on it.
func (d *Document) Lint() Faults {
	l := &linter{d: d}
	for _, look := range looks {
		look(l)
	}
	return l.faults.sorted()
}
