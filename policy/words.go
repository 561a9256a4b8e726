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
		ReasonUnset:   {"undecided", "Nobody asked the policy about this. Please report it%s."},
		ReasonPurpose: {"purpose_undeclared", "The policy names no such purpose for this kind of data (%s). Only its operator can change that."},
		ReasonConsent: {"consent_missing", "The policy allows this only with a consent (%s), and there is none."},
		ReasonRole:    {"role_unfit", "The policy does not let this role act for this purpose (%s). Ask somebody whose role does."},
		ReasonUnmade:  {"category_uncollected", "The policy says that this service does not collect this kind of data (%s)."},
		ReasonEndless: {"end_missing", "The policy has no rule that ends this kind of data here, so it is not kept (%s)."},
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
	return fmt.Sprintf("It goes %s, at %s (%s).", r.after(i), instant(at), r.path)
}

func (r *clause) after(i Item) string {
	span := r.span(i.Choice)
	if span.Duration() == 0 {
		return "at once when " + fromWords[r.from]
	}
	return span.Words() + " after " + fromWords[r.from]
}

func (d *Document) endlessWords(i Item) string {
	t := d.compiled.categories[i.Category]
	if len(t.clauses(i.Tier)) == 0 {
		return "No rule of this policy ends it, so nothing of the kind may be kept."
	}
	if i.InUse {
		return "It stays while a job uses it."
	}
	return "Nothing that has happened so far ends it."
}
