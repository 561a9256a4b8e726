package policy

import (
	"strings"
)

// The English words of the page. Every kind of data is named in the plural, so that one
// form of each verb serves.

var categoryWords = map[string]string{
	"account":        "records of guests and accounts",
	"credential":     "sign-in tokens",
	"original":       "pictures that you bring",
	"output":         "pictures that are made for you",
	"prompt":         "words that you write for a picture",
	"library_prompt": "prompts that you save",
	"conversation":   "conversations",
	"history":        "settings and histories of your jobs",
	"scratch":        "working copies",
	"safe":           "pictures in your private safe",
	"share":          "share links",
	"feedback":       "ratings and feedback",
	"survey":         "answers to surveys",
	"support":        "letters to support",
	"membership":     "memberships in workspaces",
	"interaction":    "records of clicks and views",
	"device":         "records of devices and addresses",
	"security_log":   "entries of the security log",
	"generation_log": "records of jobs (no picture, no prompt)",
	"audit":          "entries of the audit log",
	"disclosure":     "records of disclosures",
	"case":           "records of erasures and requests",
	"mail":           "mails that are on their way",
	"payment":        "records of credits and payments",
	"preference":     "records of what you accepted and chose",
	"evidence":       "pictures held as evidence",
	"usage_total":    "totals of use",
}

// bareName is a kind of data without an article; a name that we have no words for stands
// as the document writes it.
func bareName(category string) string {
	if w, ok := categoryWords[category]; ok {
		return w
	}
	return strings.ReplaceAll(category, "_", " ")
}

func naming(category string) string { return "the " + bareName(category) }

func namings(categories Words) string {
	out := make([]string, len(categories))
	for i, c := range categories {
		out[i] = naming(c)
	}
	return list(out)
}

var tierNames = map[string]string{"guest": "guests", "member": "members", "paid": "paying members"}

func tierWords(tiers Words) string { return list(words(tiers, tierNames)) }

// words looks each one up and keeps those without a translation.
func words(ws []string, in map[string]string) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = w
		if said, ok := in[w]; ok {
			out[i] = said
		}
	}
	return out
}

func spanWords(spans []Span) []string {
	out := make([]string, len(spans))
	for i, s := range spans {
		out[i] = s.Words()
	}
	return out
}

// each is a span after "every": "every day", "every 90 days".
func each(s Span) string { return strings.TrimPrefix(s.Words(), "1 ") }

func list(ws []string) string {
	switch len(ws) {
	case 0:
		return "nothing"
	case 1:
		return ws[0]
	}
	return strings.Join(ws[:len(ws)-1], ", ") + " and " + ws[len(ws)-1]
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var pluralEvents = map[string]string{
	fromCreated:     "they were made",
	fromJobEnded:    "the last job that used them has ended",
	fromClosed:      "the account is closed",
	fromLastSeen:    "your last visit",
	fromSuperseded:  "they are replaced or the account is closed",
	fromSent:        "they were sent",
	fromTransaction: "the payment",
	fromHoldOpened:  "the hold was opened",
}

var (
	unlessWords = map[string]string{"saved": "you save them", "in_use": "a job still uses them"}
	whenWords   = map[string]string{"saved": "you saved them", "in_use": "a job uses them"}
)

var purposePhrases = map[string]string{
	"generate":      "to make and better pictures",
	"deliver":       "to show and hand you what is yours",
	"share":         "to share what you chose to share",
	"sign_in":       "to know you again",
	"bill":          "to account for what you use and buy",
	"book_keep":     "to keep the books that the law demands",
	"help":          "to help you",
	"notify":        "to tell you what you need to know",
	"answer_rights": "to answer your rights",
	"secure":        "to keep the service secure",
	"moderate":      "to keep out what is forbidden",
	"hold":          "to keep what a legal hold demands",
	"disclose":      "to answer lawful requests of authorities",
	"prove":         "to prove what was done",
	"personal":      "to suggest what suits you",
	"analyze":       "to see how the service is used",
	"improve":       "to improve the service by totals",
	"market":        "to send you news that you asked for",
	"train":         "to train models",
}

func purposePhrase(name string) string {
	if w, ok := purposePhrases[name]; ok {
		return w
	}
	return "for " + strings.ReplaceAll(name, "_", " ")
}

func purposeWords(name string) string { return capital(purposePhrase(name)) }

func purposesWords(names Words) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = purposePhrase(n)
	}
	return list(out)
}

var basisWords = map[string]string{
	"contract":            "you asked for that (GDPR art. 6(1)(b))",
	"consent":             "you agreed to it (GDPR art. 6(1)(a))",
	"legal_obligation":    "the law demands it (GDPR art. 6(1)(c))",
	"vital_interest":      "lives depend on it (GDPR art. 6(1)(d))",
	"public_task":         "it is a public task (GDPR art. 6(1)(e))",
	"legitimate_interest": "its interest in that was weighed against yours (GDPR art. 6(1)(f))",
	"none_anonymous":      "nothing in it is about a person",
}

var rightWords = map[string]string{
	"access":        "see what is held about you",
	"rectification": "have it corrected",
	"erasure":       "have it erased",
	"restriction":   "have its use stopped while it stays",
	"portability":   "take it with you",
	"objection":     "object to a use",
	"human_review":  "ask for a person instead of a machine",
	"withdraw":      "withdraw a consent",
	"opt_out_sale":  "opt out of sale and sharing",
}

var claimWords = map[string]string{
	"tls":                "What travels between you and the service is encrypted.",
	"encrypted_at_rest":  "What is personal is sealed before it is written to a disk.",
	"end_to_end_safe":    "Your private safe is encrypted in your browser, with a key that the service never has.",
	"argon2id_passwords": "Passwords are kept only as argon2id hashes.",
	"per_subject_keys":   "What is yours is sealed under keys of your own; destroying one ends what it opens.",
	"roles":              "Each role opens only what it needs.",
	"audit_log":          "What is done to data is written to a log in which a later change shows.",
	"monitoring":         "Failed sign-ins, refused access and late erasures raise an alarm.",
	"incident_response":  "There is a plan for incidents, and it is practised.",
	"backups":            "Sealed backups are made, and restoring them is tried.",
}

var (
	safeguardWords      = map[string]string{"scc": "standard contractual clauses", "adequacy": "a decision that protection there is adequate", "bcr": "binding corporate rules"}
	infrastructureWords = map[string]string{"database": "a database", "blobs": "a store of files", "nats": "a queue", "keys": "a keeper of keys", "tls_issuer": "an issuer of certificates"}
	doWords             = map[string]string{"block": "blocked", "hold": "held for a person to look at", "blur": "blurred until you choose to see it"}
	modeWords           = map[string]string{"opt_in": "are asked first", "opt_out": "can say no at any time", "notice_only": "are told"}
	notifyWords         = map[string]string{"page": "this page", "banner": "a banner", "email": "e-mail"}
)
