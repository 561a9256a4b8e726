package policy

// Lifecycle bounds the way from "due" to "gone": hidden, erased, purged, clear of backups.
type Lifecycle struct {
	Hide    Step    `policy:"hide"`
	Erase   Step    `policy:"erase"`
	Purge   Step    `policy:"purge"`
	Backup  Backup  `policy:"backup"`
	Receipt Receipt `policy:"receipt"`
}

// Step is one bound of the lifecycle.
type Step struct {
	Within Span   `policy:"within"`
	How    string `policy:"how" refers:"removals"`
	Queue  string `policy:"queue"`
}

// Backup says how copies are made and when erased items have left them.
type Backup struct {
	Every                   Span   `policy:"every"`
	Rehearse                Span   `policy:"rehearse"`
	Within                  Span   `policy:"within"`
	Keys                    string `policy:"keys" refers:"key_places"`
	LeavesOut               Words  `policy:"leaves_out" refers:"categories"`
	ReplayErasuresOnRestore Flag   `policy:"replay_erasures_on_restore"`
}

// Receipt says for what a proof of erasure is given.
type Receipt struct {
	Per Words  `policy:"per" words:"receipts"`
	Log string `policy:"log" words:"logs"`
}

// Holds says who may keep an item from ending, and how it is let go.
type Holds struct {
	Role        string `policy:"role" refers:"roles"`
	MayUse      Words  `policy:"may_use"`
	Scope       string `policy:"scope" words:"scopes"`
	Release     string `policy:"release" refers:"releases"`
	TellSubject string `policy:"tell_subject" words:"tellings"`
}

// Disclosure is a ground on which data is handed to those who are no processors.
type Disclosure struct {
	Purpose  string `policy:"purpose"`
	Uses     Words  `policy:"uses" refers:"categories"`
	Approve  Words  `policy:"approve" refers:"roles"`
	Register Flag   `policy:"register"`
}

// Right is what a person may ask for, and how soon it is answered. An absent Within is
// a fault: a right without a deadline is none.
type Right struct {
	Gdpr        string           `policy:"gdpr" form:"article"`
	Ccpa        string           `policy:"ccpa" form:"article"`
	Within      Span             `policy:"within"`
	Extend      Span             `policy:"extend"`
	SelfService Flag             `policy:"self_service"`
	Unit        Words            `policy:"unit" words:"units"`
	Grace       Span             `policy:"grace"`
	Undo        Span             `policy:"undo"`
	Keeps       Words            `policy:"keeps"`
	Purposes    Words            `policy:"purposes"`
	Signal      string           `policy:"signal" words:"signals"`
	ShowStatus  Flag             `policy:"show_status"`
	Elsewhere   Table[Elsewhere] `policy:"elsewhere"`
}

// Elsewhere is how a right differs under another regime.
type Elsewhere struct {
	Section string `policy:"section" form:"article"`
	Within  Span   `policy:"within"`
	Extend  Span   `policy:"extend"`
}

// Processor is a partner that is sent data: no line, no egress.
type Processor struct {
	Hosts     Words  `policy:"hosts" form:"host"`
	From      string `policy:"from" words:"senders"`
	For       Words  `policy:"for"`
	Gets      Words  `policy:"gets" refers:"categories"`
	Cookies   Words  `policy:"cookies"`
	Country   string `policy:"country" form:"country"`
	Safeguard string `policy:"safeguard" refers:"safeguards"`
	Agreement string `policy:"agreement"`
	BoundTo   Words  `policy:"bound_to"`
	Trains    string `policy:"trains" refers:"never"`
}

// Regions says where data may lie and who may choose.
type Regions struct {
	Choices  Table[Region] `policy:"choices"`
	Default  string        `policy:"default"`
	ForTiers Words         `policy:"for_tiers" refers:"tiers"`
	Covers   Words         `policy:"covers" refers:"categories"`
}

// Region is one place to choose.
type Region struct {
	Countries Words `policy:"countries"`
}

// Moderation says what a screener looks at and what follows.
type Moderation struct {
	LooksAt     Words        `policy:"looks_at" refers:"categories"`
	Classes     Table[Class] `policy:"classes" names:"classes"`
	Unavailable string       `policy:"unavailable" refers:"refuse"`
	Appeal      Appeal       `policy:"appeal"`
}

// Class is a kind of content that is not simply let through.
type Class struct {
	Do   string `policy:"do" words:"doings"`
	Keep string `policy:"keep" refers:"categories"`
}

// Appeal is who decides again, and how soon.
type Appeal struct {
	Within Span   `policy:"within"`
	By     string `policy:"by" refers:"person"`
}

// Organisation says what a workspace may enforce on its members.
type Organisation struct {
	MayEnforce Words  `policy:"may_enforce" words:"enforceable"`
	Agreement  string `policy:"agreement" words:"agreements"`
}

// Mail is a kind of message and what it needs.
type Mail struct {
	Exempt  Flag   `policy:"exempt"`
	Consent string `policy:"consent"`
}

// Age is who may use the service.
type Age struct {
	Minimum  Varied   `policy:"minimum" form:"age"`
	Below    string   `policy:"below" words:"refusals"`
	Reported Reported `policy:"reported"`
}

// Reported is what follows when a child's data is reported.
type Reported struct {
	Suspend Span `policy:"suspend"`
	Erase   Span `policy:"erase"`
}

// Sale says whether data is sold or shared.
type Sale struct {
	Sells            string           `policy:"sells" words:"sales"`
	Shares           string           `policy:"shares" words:"sales"`
	BusinessTransfer BusinessTransfer `policy:"business_transfer"`
}

// BusinessTransfer is what people are told and offered when the service changes hands.
type BusinessTransfer struct {
	Notice Span  `policy:"notice"`
	Offer  Words `policy:"offer" words:"offers"`
}

// Security is what is claimed; a claim is shown only while its self-test passes.
type Security struct {
	Claims   Words    `policy:"claims" refers:"claims"`
	Audits   Audits   `policy:"audits"`
	Incident Incident `policy:"incident"`
	Caveat   string   `policy:"caveat" refers:"caveats"`
}

// Audits is how often the audit runs.
type Audits struct {
	Every Span `policy:"every"`
}

// Incident is how soon an authority is told.
type Incident struct {
	TellAuthority Span `policy:"tell_authority"`
}

// Changes says how people hear of a new version.
type Changes struct {
	Material        Material `policy:"material"`
	Accept          string   `policy:"accept" words:"acceptances"`
	Reconsent       Words    `policy:"reconsent" words:"reconsents"`
	LongerRetention string   `policy:"longer_retention" refers:"lengthenings"`
}

// Material is how a change that matters is announced.
type Material struct {
	Notify Words `policy:"notify" words:"notices"`
	Lead   Span  `policy:"lead"`
}
