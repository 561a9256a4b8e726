package policy

import (
	"fmt"

	"musa"
)

// english is every sentence that decisions speak in. It is one value so that it can
// become one language's page of a catalogue.
var english = struct {
	notFound string
	due      string
	refusals map[Reason]refusal
}{
	notFound: "There is nothing here, or it is not yours. Check the address, or sign in as the one who made it.",
	due:      "Its time was over at %s: the policy, %s, says so. What is still yours is listed in the studio.",
	refusals: map[Reason]refusal{
		ReasonUnset:      {"undecided", "Nobody asked the policy about this. Please report it%s."},
		ReasonPurpose:    {"purpose_undeclared", "The policy names no such purpose for this kind of data (%s). Only its operator can change that."},
		ReasonConsent:    {"consent_missing", "The policy allows this only with a consent (%s), and there is none. Only the person whose it is can give it."},
		ReasonObjected:   {"objected", "The person whose it is objected to this use, so the policy does not allow it (%s). They can take the objection back."},
		ReasonRestricted: {"restricted", "The use of this is restricted: it is stored, and nothing else is done with it (%s). A restriction that you asked for ends when you lift it."},
		ReasonRole:       {"role_unfit", "The policy does not let this role act for this purpose (%s). Ask somebody whose role does."},
		ReasonUnmade:     {"category_uncollected", "The policy says that this service does not collect this kind of data (%s)."},
		ReasonEndless:    {"end_missing", "The policy has no rule that ends this kind of data here, so it is not kept (%s)."},
	},
}

type refusal struct{ code, public string }

func instant(m musa.Millis) string { return m.Time().Format("2006-01-02 15:04:05 UTC") }

var fromWords = map[string]string{
	fromCreated:     "it was made",
	fromJobEnded:    "the last job that used it has ended",
	fromClosed:      "the account is closed",
	fromLastSeen:    "the last visit",
	fromSuperseded:  "it is replaced or the account is closed",
	fromSent:        "it was sent",
	fromTransaction: "the payment",
	fromHoldOpened:  "the hold was opened",
}

func (r *clause) endWords(i Item, at musa.Millis) string {
	return fmt.Sprintf("%s %s, at %s (%s).", r.goes(), r.after(i), instant(at), r.path)
}

// goes says, too, why it is this rule where the person's own saving is the reason.
func (r *clause) goes() string {
	if r.when&isSaved != 0 {
		return "It is saved, and goes"
	}
	return "It goes"
}

func (r *clause) after(i Item) string {
	span := r.span(&i)
	if span.Duration() == 0 {
		return "at once when " + fromWords[r.from]
	}
	return span.Words() + " after " + fromWords[r.from]
}

func (d *Document) endlessWords(i Item) string {
	t := d.compiled.category(i.Category)
	if len(t.clauses(i.Tier)) == 0 {
		return "No rule of this policy ends it, so nothing of the kind may be kept."
	}
	if i.InUse {
		return "It stays while a job uses it."
	}
	return "Nothing that has happened so far ends it."
}
