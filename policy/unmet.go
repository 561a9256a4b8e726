package policy

import "strings"

// Without leaves out of sections what stands at the given paths or below them, and sections
// that are empty then: what a server cannot show to hold is not said. Promise E-34.
func Without(sections []Section, paths []string) []Section {
	var out []Section
	for _, s := range sections {
		kept := Section{Heading: s.Heading}
		for _, line := range s.Sentences {
			if !below(line.Path, paths) {
				kept.Sentences = append(kept.Sentences, line)
			}
		}
		if len(kept.Sentences) > 0 {
			out = append(out, kept)
		}
	}
	return out
}

func below(path string, tops []string) bool {
	for _, top := range tops {
		if rest, ok := strings.CutPrefix(path, top); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}
