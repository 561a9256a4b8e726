package notice

import (
	"strings"

	"musa"
	"musa/policy"
)

// The kinds of mails of the service itself. What a policy's mails name besides are lists.
const (
	SignUp        = "sign_up"       // confirm the address, and make the account
	SignUpKnown   = "sign_up_known" // somebody signed up with an address that has an account
	Reset         = "reset"
	Change        = "change"  // confirm another address
	Changed       = "changed" // to the address that was
	Invite        = "invite"
	List          = "list"   // confirm that a kind of mail is wanted
	Thread        = "thread" // an answer waits
	Policy        = "policy" // a version takes more than the one before
	Case          = "case"   // a request about rights moved
	Suspended     = "suspended"
	Breach        = "breach"
	Closing       = "closing"
	FactorChanged = "factor_changed"
)

// Service is the line of the policy's mails that the mails of the service are of, and the kind of
// news that everybody with an account is told, whatever they asked for.
const Service = "service"

// Survey is the kind of news that says that something is asked.
const Survey = "survey"

// kind says how a mail of the service is made. In path, {object} and {secret} are filled in; the
// secret stands behind the #, where no log of a server sees it.
type kind struct {
	path    string
	purpose musa.Purpose // to open the address for
}

var kinds = map[string]kind{
	SignUp:        {"/confirm?for=sign_up#{secret}", musa.PurposeNotify},
	SignUpKnown:   {"/signin", musa.PurposeNotify},
	Reset:         {"/confirm?for=reset#{secret}", musa.PurposeNotify},
	Change:        {"/confirm?for=change#{secret}", musa.PurposeNotify},
	Changed:       {"/support", musa.PurposeNotify},
	Invite:        {"/confirm?for=invite#{secret}", musa.PurposeNotify},
	List:          {"/confirm?for=list#{secret}", musa.PurposeNotify},
	Thread:        {"/support?thread={object}#{secret}", musa.PurposeNotify},
	Policy:        {"/privacy/versions", musa.PurposeNotify},
	Case:          {"/me/data", musa.PurposeAnswerRights},
	Suspended:     {"/support", musa.PurposeNotify},
	Breach:        {"/me/data", musa.PurposeAnswerRights},
	Closing:       {"/me", musa.PurposeAnswerRights},
	FactorChanged: {"/me/sign-in", musa.PurposeNotify},
}

// link is where a mail leads.
func (k kind) link(site, object, secret string) string {
	path := strings.NewReplacer("{object}", object, "{secret}", secret).Replace(k.path)
	return site + strings.TrimSuffix(path, "#")
}

// Lists are the kinds of mail that a policy lets people ask for: those that rest on a consent.
func Lists(doc *policy.Document) (names []string) {
	for _, e := range doc.Mails {
		if e.Value.Consent != "" && !e.Value.Exempt.On() {
			names = append(names, e.Name)
		}
	}
	return names
}
