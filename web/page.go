package web

import (
	"encoding/json"
	"fmt"
)

// preloads names the modules of the page's script, so that they arrive together instead
// of one import after the other.
func (p page) preloads() []string { return p.static.graph(p.script) }

// island is the words that scripts speak. The words of pages stay out of it.
func (p page) island() json.RawMessage {
	data, err := p.words.Island(append([]string{"js.", "step.", "failure.", "format."}, p.speaks...)...)
	if err != nil {
		// Maps of strings always encode.
		panic(fmt.Sprintf("web: words: %v", err))
	}
	return data
}

func sectionID(index int) string { return fmt.Sprintf("section-%d", index+1) }
