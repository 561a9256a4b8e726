package policy

import "strings"

// More of the page's English words: what the document says in single terms.
var (
	safeguardWords      = map[string]string{"scc": "standard contractual clauses", "adequacy": "a decision that the protection there is adequate", "bcr": "binding corporate rules"}
	infrastructureWords = map[string]string{"database": "a database", "blobs": "a store of files", "nats": "a queue", "keys": "a keeper of keys", "tls_issuer": "an issuer of certificates", "mail": "a server for mails"}
	doWords             = map[string]string{"block": "blocked", "hold": "held until a person has looked at it", "blur": "blurred until you choose to see it"}
	classWords          = map[string]string{"illegal": "illegal content", "harmful": "harmful content", "nsfw": "content with nudity or violence"}
	modeWords           = map[string]string{"opt_in": "are asked first", "opt_out": "can say no at any time", "notice_only": "are told"}
	notifyWords         = map[string]string{"page": "on the privacy page", "banner": "in a banner", "email": "by e-mail"}
	chooserNames        = map[string]string{"subject": "you", "workspace": "your workspace", "project": "a project"}
	residueNames        = map[string]string{"id": "a number without a name", "email_hash": "a keyed fingerprint of the e-mail address", "closed_at": "the time of closing"}
	fieldNames          = map[string]string{"pan": "card numbers", "cvv": "card check codes", "email": "e-mail address"}
	unitWordsOf         = map[string]string{"asset": "a single picture", "prompt": "a prompt", "conversation": "a conversation", "project": "a project", "account": "the whole account"}
	offerWords          = map[string]string{"export": "take your data with you", "erase": "have it erased"}
	accepterNames       = map[string]string{"person": "people with an account", "guest": "guests"}
	enforceWords        = map[string]string{"no_training": "that nothing is used for training", "shortest_retention": "how long things stay at most", "region": "the region in which data lies", "processors": "which partners are sent anything"}
	roleNames           = map[string]string{"operator": "the operator", "support": "the support staff", "moderator": "the moderators", "compliance": "the compliance officers"}
	consentNames        = map[string]string{"analytics": "statistics of use", "marketing": "news and offers", "personalization": "suggestions that suit you", "training": "the training of models on your content", "training_commercial": "the training of models on content that you use commercially", "publish": "publishing a picture", "preferences": "remembering your settings"}
	grounds             = map[string]string{"authority": "authorities that ask lawfully", "protection": "those who have to avert harm"}
	purposeTitles       = map[string]string{
		"generate": "Making and improving pictures", "deliver": "Showing and handing over a person's own content", "share": "Sharing what a person chose to share",
		"sign_in": "Sign-in", "bill": "Billing", "book_keep": "Bookkeeping required by law", "help": "Support", "notify": "Service messages",
		"answer_rights": "Answering the rights of data subjects", "secure": "Security of the service", "moderate": "Moderation of content", "hold": "Legal holds",
		"disclose": "Disclosure to authorities", "prove": "Proof of what was done", "personal": "Personal suggestions", "analyze": "Statistics of use",
		"improve": "Improvement of the service by anonymous totals", "market": "News and offers", "train": "Training of models", "attend": "Reading of requests about the rights of data subjects",
	}
	// The parts of a record, which English calls as the document does.
	recordFields = map[string]string{"email": "email", "name": "name", "username": "username", "profile": "profile", "language": "language"}
	basisClauses = map[string]string{
		"contract": "performance of a contract, art. 6(1)(b)", "consent": "consent, art. 6(1)(a)", "legal_obligation": "legal obligation, art. 6(1)(c)",
		"vital_interest": "vital interests, art. 6(1)(d)", "public_task": "public task, art. 6(1)(e)", "legitimate_interest": "legitimate interests, art. 6(1)(f)",
		"none_anonymous": "no personal data, so no basis is needed",
	}
)

func (t tongue) roleWords(role string) string { return t.said(role, roleNames) }

// purposeTitle heads a purpose; one without a title stands as the document writes it.
func (t tongue) purposeTitle(name string) string { return capital(t.plain(name, purposeTitles)) }

func (t tongue) accountWords(line TierLine) string {
	if line.Account.Off() {
		return t.of("without an account")
	}
	return t.of("with an account")
}

func upper(ws []string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = strings.ToUpper(w)
	}
	return out
}

// sizeWords sets the unit apart: "200 MB".
func sizeWords(s Size) string {
	at := len(s.String()) - len("MB")
	return s.String()[:at] + " " + s.String()[at:]
}

var countryNames = map[string]string{
	"AT": "Austria", "BE": "Belgium", "BG": "Bulgaria", "CA": "Canada", "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia",
	"DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "the United Kingdom",
	"GR": "Greece", "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IL": "Israel", "IN": "India", "IS": "Iceland", "IT": "Italy",
	"JP": "Japan", "KR": "South Korea", "LI": "Liechtenstein", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta",
	"NL": "the Netherlands", "NO": "Norway", "NZ": "New Zealand", "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SE": "Sweden",
	"SG": "Singapore", "SI": "Slovenia", "SK": "Slovakia", "US": "the United States", "US-CA": "California", "EEA": "the European Economic Area",
}
