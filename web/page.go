package web

import (
	"encoding/json"
	"fmt"
	"slices"
)

// plainModules are all that a page without pictures loads.
var plainModules = []string{"js/dom.js", "js/notices.js", "js/plain.js", "js/theme.js", "js/words.js"}

// preloads names the modules of the page's script, so that they arrive together instead
// of one import after the other.
func (p page) preloads() []string {
	switch p.script {
	case "js/studio.js":
		return slices.DeleteFunc(p.static.modules(), func(name string) bool { return name == "js/receipt.js" })
	case "js/receipt.js":
		return append(slices.Clone(plainModules), "js/api.js", "js/clock.js", "js/receipt.js")
	default:
		return plainModules
	}
}

// island is the words that scripts speak. The words of pages stay out of it.
func (p page) island() json.RawMessage {
	data, err := p.words.Island("js.", "step.", "failure.", "format.")
	if err != nil {
		// Maps of strings always encode.
		panic(fmt.Sprintf("web: words: %v", err))
	}
	return data
}

func sectionID(index int) string { return fmt.Sprintf("section-%d", index+1) }
