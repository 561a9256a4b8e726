package policy

import "strings"

// voice is how data and people are named: to the person, or about them, as the documents do
// that are handed to authorities and customers.
type voice struct {
	t          tongue
	categories map[string]string
	choosers   map[string]string
}

var they = voice{inEnglish, formalCategories, formalChoosers}

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
	return v.t.list(out)
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

// formalPurposes is what purposes are, after "for".
func formalPurposes(names Words) string {
	out := make([]string, len(names))
	for i, n := range names {
		title := purposeTitle(n)
		out[i] = strings.ToLower(title[:1]) + title[1:]
	}
	return list(out)
}
