package policy

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
	}
	return list
}
