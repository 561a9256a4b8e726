package consent

import (
	"strings"
	"time"

	"musa/policy"
)

// Cookie is the name of the cookie that holds a visitor's choices, and nothing else: no id, no
// time. It is strictly necessary, for without it they would be asked on every page.
const Cookie = "musa_consent"

// CookieLife is how long a visitor's choices are remembered before they are asked again.
const CookieLife = 180 * 24 * time.Hour

// Format 1 of the cookie: "1" and, for each consent in the order of the document, "." name "-"
// "yes" or "no": 1.preferences-yes.marketing-no
const cookieFormat = "1"

// EncodeCookie writes a visitor's choices.
func EncodeCookie(doc *policy.Document, answers map[string]Answer) string {
	var b strings.Builder
	b.WriteString(cookieFormat)
	for _, e := range doc.Consents {
		answer, ok := answers[e.Name]
		if !ok || e.Value.Mode.Default == "notice_only" {
			continue
		}
		b.WriteString("." + e.Name)
		if answer == Yes {
			b.WriteString("-yes")
		} else {
			b.WriteString("-no")
		}
	}
	return b.String()
}

// DecodeCookie reads them. What the policy does not ask (any more), or only for single pictures, is
// left out, and so is a yes without the one that it requires; a value that cannot be read is no
// choice at all. A cookie comes from anywhere: what it says must always do as a person's choices.
func DecodeCookie(doc *policy.Document, value string) map[string]Answer {
	out := map[string]Answer{}
	parts := strings.Split(value, ".")
	if parts[0] != cookieFormat {
		return out
	}
	for _, part := range parts[1:] {
		name, word, _ := strings.Cut(part, "-")
		if Asks(doc, name) != nil {
			continue
		}
		switch word {
		case "yes":
			out[name] = Yes
		case "no":
			out[name] = No
		}
	}
	for range out { // as often as one can hang on another
		for name, answer := range out {
			if line, _ := doc.Consents.Get(name); answer == Yes && line.Requires != "" && out[line.Requires] != Yes {
				delete(out, name)
			}
		}
	}
	return out
}
