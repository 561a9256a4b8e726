package account

import (
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"musa"
	"musa/db"
)

// addressMost bounds an e-mail address, after RFC 5321 §4.5.3.1.
const addressMost = 254

// domains are judged as they are registered: an internationalised one becomes its ASCII form, so
// that one which looks like another stays another.
var domains = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.BidiRule())

// Address is the one form of an e-mail address that is kept, digested and written to: compatible
// characters are made one (NFKC), the domain is in ASCII, letters are small. A mail never goes to
// the form that somebody typed: it could look the same here and lead elsewhere. ErrInvalid for
// what is no address that this server can write to.
func Address(typed string) (string, error) {
	wrong := &musa.Problem{Kind: musa.ErrInvalid, Code: "email_unusable", Field: "email",
		Public: "This is no e-mail address that this studio can write to. Give one like name@example.org, in letters without accents before the @."}
	if len(typed) > 4*addressMost {
		return "", wrong
	}
	text := norm.NFKC.String(strings.TrimSpace(typed))
	at := strings.LastIndexByte(text, '@')
	if at <= 0 {
		return "", wrong
	}
	local := text[:at]
	for _, r := range local {
		// No quotes, no comments, no lines: what they allow is used by nobody but attackers.
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.", r) {
			return "", wrong
		}
	}
	domain, err := domains.ToASCII(text[at+1:])
	if err != nil || !strings.Contains(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", wrong
	}
	address := strings.ToLower(local + "@" + domain)
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > addressMost {
		return "", wrong
	}
	return address, nil
}

// digestOf is the keyed hash that finds an address. Its first byte is the version of the look-up
// key, which stays when wrapping keys rotate.
func (a *Accounts) digestOf(address string) []byte { return a.Keys.Digest("email", address) }

// addressRow is the row that leads to an account by its address.
func (a *Accounts) addressRow(s musa.SubjectID, address string, now musa.Millis) db.Address {
	digest := a.digestOf(address)
	return db.Address{Subject: s, Digest: digest, Keys: int64(digest[0]), Confirmed: now, Changed: now}
}
