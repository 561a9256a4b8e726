package policy

import (
	"slices"

	"musa"
)

// Unkept is a line of a document that says what the program does not do yet. The language has it,
// so that a policy can be written whole; nobody is promised it.
type Unkept struct {
	Path  string `json:"path"`
	Words string `json:"words"`
}

// Unkept lists such lines. Lint takes them: there is nothing wrong with them. Whoever shows the
// document to people leaves out what stands at these paths (Without), and whoever starts a server
// with it is told. Promise E-34.
func (d *Document) Unkept() (list []Unkept) {
	add := func(path, words string) { list = append(list, Unkept{path, words}) }
	if len(d.Moderation.LooksAt) > 0 || len(d.Moderation.Classes) > 0 {
		add("moderation", "nothing looks at prompts or pictures, and nothing is blocked for what it shows")
	}
	if len(d.Regions.Choices) > 0 {
		add("regions", "all data lies where the operator's database and blob store are, wherever its owner lives")
	}
	for _, e := range d.Disclosures {
		add("disclosures."+e.Name, "there is no register of what authorities were given; keep one elsewhere")
	}
	for _, e := range d.Categories {
		if e.Value.Keys == "holder_only" {
			add("categories."+e.Name+".keys", "nothing can be stored under keys that its holder alone has")
		}
		for _, u := range untreated(musa.Category(e.Name), e.Value) {
			add("categories."+e.Name+"."+u.Path, u.Words)
		}
	}
	for _, e := range d.OffSwitch {
		if e.Name != logSwitch {
			add("off_switch."+e.Name, "there is no such switch, `"+logSwitch+"` is the one")
			continue
		}
		for _, c := range e.Value {
			if !slices.Contains(logs, musa.Category(c)) {
				add("off_switch."+e.Name, "the switch does not reach `"+c+"`: it is no record of a job")
				break
			}
		}
	}
	if d.Security.Audits.Every.Said() {
		add("security.audits", "nothing here sees to it that audits are held; `musa verify` is there for them")
	}
	if d.Organisation.MayEnforce.Has("region") {
		add("organisation.may_enforce", "no region can be chosen; take `region` out, and the rest is promised again")
	}
	return list
}

// logSwitch is the one switch that people have, and logs are the records that it ends with their job.
const logSwitch = "interaction_log"

var logs = []musa.Category{musa.CategoryInteraction, musa.CategoryHistory, musa.CategoryPrompt, musa.CategoryConversation}

// untreated are the treatments that a line names and that its category does not get.
func untreated(c musa.Category, line CategoryLine) (list []Unkept) {
	add := func(said bool, key, words string, treated ...musa.Category) {
		if said && !slices.Contains(treated, c) {
			list = append(list, Unkept{key, words})
		}
	}
	add(line.StripMetadata.On(), "strip_metadata", "metadata is taken out of pictures alone", musa.CategoryOriginal, musa.CategoryOutput, musa.CategoryEvidence)
	add(line.Mark != "", "mark", "only pictures that are made here are marked", musa.CategoryOutput)
	add(line.MinGroup.Value() > 0, "min_group", "only totals are held back for small groups", musa.CategoryUsageTotal)
	add(line.Noise.Epsilon != "", "noise", "noise is added to totals alone", musa.CategoryUsageTotal)
	add(len(line.ForbidFields) > 0, "forbid_fields", "nothing looks for such fields; what an account asks for stands under `fields`", musa.CategoryPayment)
	add(line.NeverExport.On(), "never_export", "an export holds it all the same: pictures, jobs and credits have files of their own in it",
		unasked()...)
	return list
}

// unasked are the categories that an export can leave out: those that have no form of their own in it.
func unasked() []musa.Category {
	return slices.DeleteFunc(musa.Categories(), func(c musa.Category) bool {
		switch c {
		case musa.CategoryOriginal, musa.CategoryOutput, musa.CategoryPrompt, musa.CategoryHistory, musa.CategoryGenerationLog, musa.CategoryPayment, musa.CategoryEvidence:
			return true
		}
		return false
	})
}
