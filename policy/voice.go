package policy

import "strings"

// voice is how data and people are named: to the person, or about them, as the documents do
// that are handed to authorities and customers.
type voice struct {
	t          tongue
	categories map[string]string
	choosers   map[string]string
}

// they is the voice of the documents that are handed over.
func (t tongue) they() voice { return voice{t, formalCategories, formalChoosers} }

func (v voice) name(category string) string {
	if w, ok := v.categories[category]; ok {
		return v.t.of(w)
	}
	return v.t.bareName(category)
}

func (v voice) names(categories Words) string {
	out := make([]string, len(categories))
	for i, c := range categories {
		out[i] = v.name(c)
	}
	return v.t.series(out)
}

// Where the page's words do not speak to anybody, they serve here as well.
var formalCategories = map[string]string{
	"original":       "uploaded pictures",
	"output":         "generated and edited pictures",
	"prompt":         "prompts",
	"library_prompt": "saved prompts",
	"history":        "settings and histories of jobs",
	"safe":           "pictures in private safes",
	"mail":           "records of mails sent",
	"preference":     "records of consents, acceptances and settings",
}

var formalChoosers = map[string]string{"subject": "the person", "workspace": "their workspace", "project": "a project"}

var rightTitles = map[string]string{
	"access": "Access", "rectification": "Rectification", "erasure": "Erasure", "restriction": "Restriction of processing",
	"portability": "Data portability", "objection": "Objection", "human_review": "Review by a person", "withdraw": "Withdrawal of consent", "opt_out_sale": "Opt-out of sale",
}

// titles are those of purposes, after "for": with a small letter in English, where it is no noun's
// own capital.
func (t tongue) titles(names Words) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = t.purposeTitle(n)
		if t == nil {
			out[i] = strings.ToLower(out[i][:1]) + out[i][1:]
		}
	}
	return t.series(out)
}

// series is a list of what often has an "and" of its own: semicolons part it, but not in English.
func (t tongue) series(ws []string) string {
	if t == nil || len(ws) == 0 {
		return t.list(ws)
	}
	return strings.Join(ws, "; ")
}
