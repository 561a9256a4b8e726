package policy

import "strings"

var looks = []func(*linter){}

type linter struct {
	d      *Document
	faults Faults
}

// fault points at a path, or at the nearest one above it that stands in the text.
func (l *linter) fault(path, reason, remedy string) {
	p, ok := l.d.at[path]
	for above := path; !ok && above != ""; p, ok = l.d.at[above] {
		above = above[:max(0, strings.LastIndexAny(above, ".["))]
	}
	if !ok {
		p = position{1, 1}
	}
	l.faults = append(l.faults, Fault{File: l.d.file, Line: p.line, Column: p.column, Path: path, Reason: reason, Remedy: remedy})
}
