package policy

import (
	"unicode"
	"unicode/utf8"
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
	"support":        "messages to support",
	"membership":     "memberships in workspaces",
	"interaction":    "records of clicks and views",
	"device":         "records of devices and addresses",
	"security_log":   "entries of the security log",
	"generation_log": "records of jobs (no picture, no prompt)",
	"audit":          "entries of the audit log",
	"disclosure":     "records of disclosures",
	"case":           "records of erasures and requests",
	"mail":           "notes of mails that are sent to you",
	"payment":        "records of credits and payments",
	"preference":     "records of what you accepted and chose",
	"evidence":       "pictures held as evidence",
	"usage_total":    "totals of use",
}

var tierNames = map[string]string{"guest": "guests", "member": "members", "paid": "paying members"}

func capital(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

var pluralEvents = map[string]string{
	fromCreated:     "they were made",
	fromJobEnded:    "the last job that used them has ended",
	fromClosed:      "the account is closed",
	fromLastSeen:    "the last visit",
	fromSuperseded:  "they are replaced or the account is closed",
	fromSent:        "they were sent",
	fromTransaction: "the payment",
	fromHoldOpened:  "the hold was opened",
}

var (
	unlessWords = map[string]string{"saved": "they were saved", "in_use": "a job still uses them"}
	whenWords   = map[string]string{"saved": "they were saved", "in_use": "a job uses them"}
)

var purposePhrases = map[string]string{
	"generate":      "to make and improve pictures",
	"deliver":       "to show and hand you what is yours",
	"share":         "to share what you chose to share",
	"sign_in":       "to recognise you when you come back",
	"bill":          "to account for what you use and buy",
	"book_keep":     "to keep the accounts that the law demands",
	"help":          "to help you",
	"notify":        "to tell you what you need to know",
	"answer_rights": "to answer when you use your rights",
	"secure":        "to keep the service secure",
	"moderate":      "to keep out what is forbidden",
	"hold":          "to keep what a legal hold demands",
	"disclose":      "to answer lawful requests of authorities",
	"prove":         "to prove what was done and agreed",
	"personal":      "to suggest what suits you",
	"analyze":       "to see how the service is used",
	"improve":       "to improve the service by totals",
	"market":        "to send you news that you asked for",
	"train":         "to train models",
	"attend":        "to read what you write about your rights",
}

var basisWords = map[string]string{
	"contract":            "because it is part of what you asked for (GDPR art. 6(1)(b))",
	"consent":             "only if you agreed to it (GDPR art. 6(1)(a))",
	"legal_obligation":    "because the law demands it (GDPR art. 6(1)(c))",
	"vital_interest":      "because lives depend on it (GDPR art. 6(1)(d))",
	"public_task":         "because it is a public task (GDPR art. 6(1)(e))",
	"legitimate_interest": "because its interest in that was weighed against yours (GDPR art. 6(1)(f))",
	"none_anonymous":      "because nothing in it is about a person",
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
	"encrypted_at_rest":  "What is personal is sealed before it is written to a disk.",
	"per_subject_keys":   "What belongs to a person is sealed under keys of that person's own; with the key goes all that it opens.",
	"argon2id_passwords": "A password is kept only as what argon2id makes of it, which nobody can turn back; well-known stolen ones are refused.",
	"roles":              "Whoever works for the service opens only what their role needs, for its purpose, and each such use is recorded.",
	"audit_log":          "What is done to data is written to a log that nobody can change without its showing.",
	"backups":            "Sealed backups are made without the keys, and restoring them is tried.",
}
