package policy

// Document is one version of a policy. Parse makes it; it is not changed afterwards, so
// it may be read from any number of goroutines.
type Document struct {
	Extends        string              `policy:"extends"` // empty once the document is whole
	Policy         string              `policy:"policy" form:"name"`
	Version        string              `policy:"version" form:"version"`
	Effective      string              `policy:"effective" form:"day"`
	Controller     Controller          `policy:"controller"`
	Terms          Terms               `policy:"terms"`
	Ownership      Ownership           `policy:"ownership"`
	Regimes        Table[Regime]       `policy:"regimes"`
	Tiers          Table[TierLine]     `policy:"tiers" names:"tiers"`
	Roles          Roles               `policy:"roles"`
	Categories     Table[CategoryLine] `policy:"categories" names:"categories"`
	Purposes       Table[PurposeLine]  `policy:"purposes"`
	Consents       Table[Consent]      `policy:"consents"`
	Retention      []Rule              `policy:"retention"`
	OffSwitch      Table[Words]        `policy:"off_switch" refers:"categories"`
	Lifecycle      Lifecycle           `policy:"lifecycle"`
	Holds          Holds               `policy:"holds"`
	Disclosures    Table[Disclosure]   `policy:"disclosures"`
	Rights         Table[Right]        `policy:"rights" names:"rights"`
	Processors     Table[Processor]    `policy:"processors"`
	Infrastructure Words               `policy:"infrastructure" words:"infrastructure"`
	Regions        Regions             `policy:"regions"`
	Moderation     Moderation          `policy:"moderation"`
	Organisation   Organisation        `policy:"organisation"`
	Mails          Table[Mail]         `policy:"mails"`
	Age            Age                 `policy:"age"`
	Sale           Sale                `policy:"sale"`
	Security       Security            `policy:"security"`
	Changes        Changes             `policy:"changes"`

	file     string
	extends  bool                // a base is at hand
	at       map[string]position // where each path stands in the text
	compiled compiled
}

// Ref names this version of this policy, as rows keep it: "studio/2026-11-22.1". Presets
// count their versions each for itself.
func (d *Document) Ref() string { return d.Policy + "/" + d.Version }

// Controller is who answers for the data.
type Controller struct {
	Name    string `policy:"name"`
	Contact string `policy:"contact" form:"contact"`
	Country string `policy:"country" form:"country"`
	Site    string `policy:"site"`
}

// Terms is how the terms of service are accepted.
type Terms struct {
	Version           string `policy:"version"`
	Accept            string `policy:"accept" words:"acceptances"`
	Record            Words  `policy:"record" words:"accepters"`
	AnswersForContent string `policy:"answers_for_content"`
}

// Ownership says whose the pictures are.
type Ownership struct {
	Inputs        string `policy:"inputs" words:"owners"`
	Outputs       string `policy:"outputs" words:"owners"`
	ServiceClaims string `policy:"service_claims" words:"nothing"`
}

// Regime is a law that a person's region brings.
type Regime struct {
	Where         Words `policy:"where" form:"place"`
	TransferNeeds Words `policy:"transfer_needs" words:"safeguards"`
}

// TierLine declares a class of owner.
type TierLine struct {
	Account Flag  `policy:"account"`
	When    Words `policy:"when" words:"payments"`
	Storage Size  `policy:"storage"`
}

// Roles says who may open what. Instance lists, for each role, the purposes for which it
// may open what is not its own.
type Roles struct {
	Workspace Words        `policy:"workspace" words:"workspace_roles"`
	Instance  Table[Words] `policy:"instance" names:"roles"`
}

// CategoryLine says what a category is and how it is treated. A category with
// `collected: false` is defined, but nothing of it may be made.
type CategoryLine struct {
	Is            Words  `policy:"is" form:"taxon"`
	Collected     Flag   `policy:"collected"`
	Fields        Fields `policy:"fields"`
	NeverExport   Flag   `policy:"never_export"`
	StripMetadata Flag   `policy:"strip_metadata"`
	Mark          string `policy:"mark" words:"marks"`
	Keys          string `policy:"keys" words:"key_holders"`
	Readers       Words  `policy:"readers" refers:"roles"`
	Reads         string `policy:"reads" words:"reads"`
	ForbidFields  Words  `policy:"forbid_fields"`
	HoldOnly      Flag   `policy:"hold_only"`
	Personal      Flag   `policy:"personal"`
	MinGroup      Count  `policy:"min_group"`
	Noise         Noise  `policy:"noise"`
}

// Fields names the parts of a record that a person gives.
type Fields struct {
	Required Words `policy:"required"`
	Optional Words `policy:"optional"`
}

// Noise is the budget that published totals may spend.
type Noise struct {
	Epsilon string `policy:"epsilon" form:"number"`
	Per     string `policy:"per" words:"noise_periods"`
}

// PurposeLine says why data is opened, on which basis, and which.
type PurposeLine struct {
	Basis       Varied `policy:"basis" words:"bases"`
	Consent     string `policy:"consent"`
	Uses        Words  `policy:"uses" refers:"categories"`
	Assessment  string `policy:"assessment"`
	HumanReview Flag   `policy:"human_review"`
	Form        string `policy:"form" words:"forms"`
}

// Consent is something that a person is asked or told.
type Consent struct {
	Mode     Varied `policy:"mode" words:"modes"`
	Cookies  Words  `policy:"cookies"`
	Gpc      string `policy:"gpc" words:"gpc"`
	WhenOff  string `policy:"when_off" words:"losses"`
	Scope    Words  `policy:"scope" words:"scopes"`
	Expires  Span   `policy:"expires"`
	Requires string `policy:"requires"`
	When     string `policy:"when" words:"occasions"`
}

// Rule says when items of some categories end. See End for how rules meet.
type Rule struct {
	For        Words    `policy:"for" refers:"categories"`
	Tier       Words    `policy:"tier" refers:"tiers"`
	When       Words    `policy:"when" words:"states"`
	Each       string   `policy:"each" words:"pieces"`
	From       string   `policy:"from" words:"events"`
	Keep       Span     `policy:"keep"`
	Choices    []Span   `policy:"choices"`
	SetBy      Words    `policy:"set_by" words:"choosers"`
	Unless     Words    `policy:"unless" words:"states"`
	SameAs     string   `policy:"same_as" refers:"categories"`
	OnTierLoss TierLoss `policy:"on_tier_loss"`
	Restricted Flag     `policy:"restricted"`
	Erasable   Flag     `policy:"erasable"`
	Residue    Words    `policy:"residue" words:"residues"`
	Then       string   `policy:"then" words:"manners"`
	Into       string   `policy:"into" refers:"categories"`
	In         string   `policy:"in" words:"portions"`
	Minimum    Flag     `policy:"minimum"`
	Law        string   `policy:"law"`
	Review     Span     `policy:"review"`
	Release    string   `policy:"release" refers:"roles"`
}

// TierLoss is what happens to what exists when its owner loses a tier.
type TierLoss struct {
	Shorten Flag `policy:"shorten"`
	Notice  Span `policy:"notice"`
}
