package policy

// Document is one version of a policy. Parse makes it; it is not changed afterwards, so
// it may be read from any number of goroutines.
type Document struct {
	Extends        string              `policy:"extends"` // empty once the document is whole
	Policy         string              `policy:"policy"`
	Version        string              `policy:"version"`
	Effective      string              `policy:"effective"`
	Controller     Controller          `policy:"controller"`
	Terms          Terms               `policy:"terms"`
	Ownership      Ownership           `policy:"ownership"`
	Regimes        Table[Regime]       `policy:"regimes"`
	Tiers          Table[TierLine]     `policy:"tiers"`
	Roles          Roles               `policy:"roles"`
	Categories     Table[CategoryLine] `policy:"categories"`
	Purposes       Table[PurposeLine]  `policy:"purposes"`
	Consents       Table[Consent]      `policy:"consents"`
	Retention      []Rule              `policy:"retention"`
	OffSwitch      Table[Words]        `policy:"off_switch"`
	Lifecycle      Lifecycle           `policy:"lifecycle"`
	Holds          Holds               `policy:"holds"`
	Disclosures    Table[Disclosure]   `policy:"disclosures"`
	Rights         Table[Right]        `policy:"rights"`
	Processors     Table[Processor]    `policy:"processors"`
	Infrastructure Words               `policy:"infrastructure"`
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
	Contact string `policy:"contact"`
	Country string `policy:"country"`
	Site    string `policy:"site"`
}

// Terms is how the terms of service are accepted.
type Terms struct {
	Version           string `policy:"version"`
	Accept            string `policy:"accept"`
	Record            Words  `policy:"record"`
	AnswersForContent string `policy:"answers_for_content"`
}

// Ownership says whose the pictures are.
type Ownership struct {
	Inputs        string `policy:"inputs"`
	Outputs       string `policy:"outputs"`
	ServiceClaims string `policy:"service_claims"`
}

// Regime is a law that a person's region brings.
type Regime struct {
	Where         Words `policy:"where"`
	TransferNeeds Words `policy:"transfer_needs"`
}

// TierLine declares a class of owner.
type TierLine struct {
	Account Flag  `policy:"account"`
	When    Words `policy:"when"`
	Storage Size  `policy:"storage"`
}

// Roles says who may open what. Instance lists, for each role, the purposes for which it
// may open what is not its own.
type Roles struct {
	Workspace Words        `policy:"workspace"`
	Instance  Table[Words] `policy:"instance"`
}

// CategoryLine says what a category is and how it is treated. A category with
// `collected: false` is defined, but nothing of it may be made.
type CategoryLine struct {
	Is            Words  `policy:"is"`
	Collected     Flag   `policy:"collected"`
	Fields        Fields `policy:"fields"`
	NeverExport   Flag   `policy:"never_export"`
	StripMetadata Flag   `policy:"strip_metadata"`
	Mark          string `policy:"mark"`
	Keys          string `policy:"keys"`
	Readers       Words  `policy:"readers"`
	Reads         string `policy:"reads"`
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
	Epsilon string `policy:"epsilon"`
	Per     string `policy:"per"`
}

// PurposeLine says why data is opened, on which basis, and which.
type PurposeLine struct {
	Basis       Varied `policy:"basis"`
	Consent     string `policy:"consent"`
	Uses        Words  `policy:"uses"`
	Assessment  string `policy:"assessment"`
	HumanReview Flag   `policy:"human_review"`
	Form        string `policy:"form"`
}

// Consent is something that a person is asked or told.
type Consent struct {
	Mode     Varied `policy:"mode"`
	Cookies  Words  `policy:"cookies"`
	Gpc      string `policy:"gpc"`
	WhenOff  string `policy:"when_off"`
	Scope    Words  `policy:"scope"`
	Expires  Span   `policy:"expires"`
	Requires string `policy:"requires"`
	When     string `policy:"when"`
}

// Rule says when items of some categories end. See End for how rules meet.
type Rule struct {
	For        Words    `policy:"for"`
	Tier       Words    `policy:"tier"`
	When       Words    `policy:"when"`
	Each       string   `policy:"each"`
	From       string   `policy:"from"`
	Keep       Span     `policy:"keep"`
	Choices    []Span   `policy:"choices"`
	SetBy      Words    `policy:"set_by"`
	Unless     Words    `policy:"unless"`
	SameAs     string   `policy:"same_as"`
	OnTierLoss TierLoss `policy:"on_tier_loss"`
	Restricted Flag     `policy:"restricted"`
	Erasable   Flag     `policy:"erasable"`
	Residue    Words    `policy:"residue"`
	Then       string   `policy:"then"`
	Into       string   `policy:"into"`
	In         string   `policy:"in"`
	Minimum    Flag     `policy:"minimum"`
	Law        string   `policy:"law"`
	Review     Span     `policy:"review"`
	Release    string   `policy:"release"`
}

// TierLoss is what happens to what exists when its owner loses a tier.
type TierLoss struct {
	Shorten Flag `policy:"shorten"`
	Notice  Span `policy:"notice"`
}
