package web

import (
	"slices"
	"strings"

	"musa"
	"musa/lang"
	"musa/policy"
)

// fieldsOf are the parts of an account that the document lets a person give.
func fieldsOf(doc *policy.Document) (fields policy.Fields) {
	line, _ := doc.Categories.Get(string(musa.CategoryAccount))
	return line.Fields
}

// offers says whether the document collects a part of an account.
func offers(doc *policy.Document, name string) bool {
	f := fieldsOf(doc)
	return f.Required.Has(name) || f.Optional.Has(name)
}

func demands(doc *policy.Document, name string) bool { return fieldsOf(doc).Required.Has(name) }

// cookieKind is one category of cookies: those of one consent of the document.
type cookieKind struct {
	name    string
	cookies []string
	asked   bool // they need a yes
}

// performance is the category that stays empty: it is named, so that nobody has to guess.
const performance = "performance"

// kindsOfCookies lists the cookies of the document by category: what needs no yes first, and last
// that nothing is set for measuring or advertising, while that is so. Promises P-21, W-08.
func kindsOfCookies(doc *policy.Document) (kinds []cookieKind) {
	measured := false
	for _, e := range doc.Consents {
		if len(e.Value.Cookies) > 0 {
			kinds = append(kinds, cookieKind{name: e.Name, cookies: e.Value.Cookies, asked: asks(e.Value)})
			measured = measured || asks(e.Value) && e.Name != preferences
		}
	}
	slices.SortStableFunc(kinds, func(a, b cookieKind) int {
		switch {
		case a.asked == b.asked:
			return 0
		case a.asked:
			return 1
		default:
			return -1
		}
	})
	if !measured {
		kinds = append(kinds, cookieKind{name: performance})
	}
	return kinds
}

func (k cookieKind) words(words *lang.Catalogue) string {
	switch {
	case len(k.cookies) == 0:
		return words.T("cookies.kind.performance.text", nil)
	case k.asked:
		return words.T("cookies.kind.asked.text", nil)
	default:
		return words.T("cookies.kind.essential.text", nil)
	}
}

func asks(c policy.Consent) bool { return c.Mode.Default == "opt_in" || c.Mode.Default == "opt_out" }

// askedCookies are the consents that a browser is asked about: those that set cookies
// which the service can do without.
func askedCookies(doc *policy.Document) (names []string) {
	for _, e := range doc.Consents {
		if len(e.Value.Cookies) > 0 && asks(e.Value) {
			names = append(names, e.Name)
		}
	}
	return names
}

// said are the sentences of the document that cite a line under one of the heads.
func said(words *lang.Catalogue, doc *policy.Document, heads ...string) (lines []line) {
	for _, section := range doc.RenderIn(words.Tag()) {
		for _, sentence := range section.Sentences {
			if slices.ContainsFunc(heads, func(head string) bool {
				rest, ok := strings.CutPrefix(sentence.Path, head)
				return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
			}) {
				lines = append(lines, line{text: sentence.Text, path: sentence.Path})
			}
		}
	}
	return lines
}

// contactAddress is where the controller's contact leads: a mail address or a page.
func contactAddress(contact string) string {
	if strings.HasPrefix(contact, "https://") {
		return contact
	}
	return "mailto:" + contact
}

// californian says whether the document knows the law that wants this page linked.
func californian(doc *policy.Document) bool {
	_, ok := doc.Rights.Get("opt_out_sale")
	return ok
}

// kindsOfMail are the kinds that a person may choose about.
func kindsOfMail(doc *policy.Document) (kinds []string) {
	for _, e := range doc.Mails {
		if !e.Value.Exempt.On() {
			kinds = append(kinds, e.Name)
		}
	}
	return kinds
}

// languages are the tags that the interface speaks.
func languages() string {
	var tags []string
	for _, c := range lang.All() {
		tags = append(tags, c.Tag())
	}
	return strings.Join(tags, " ")
}

// requestable are the rights that the document gives, in its order.
func requestable(doc *policy.Document) []string { return doc.Rights.Names() }

// deadlineWords says how soon a request is answered.
func deadlineWords(words *lang.Catalogue, doc *policy.Document, right string) string {
	r, _ := doc.Rights.Get(right)
	if r.Within.Duration() == 0 {
		return words.T("data.deadline.now", nil)
	}
	return words.T("data.deadline", lang.Vars{"span": spanWords(words, r.Within)})
}

// collection is what is held of people, and which say they have in it.
type collection struct {
	category   string
	purposes   []string
	consent    string // it needs this yes
	switched   bool   // the log's switch ends it
	objectable bool
}

func (c collection) purposeWords(words *lang.Catalogue) string {
	var said []string
	for _, p := range c.purposes {
		said = append(said, named(words, "purpose.", p))
	}
	return strings.Join(said, ", ")
}

// collectionsOf lists what is collected; what people have a say in comes first.
func collectionsOf(doc *policy.Document) (list []collection) {
	objections := objectable(doc)
	for _, e := range doc.Categories {
		if e.Value.Collected.Off() || e.Value.Personal.Off() {
			continue
		}
		c := collection{category: e.Name}
		for _, purpose := range doc.Purposes {
			if !purpose.Value.Uses.Has(e.Name) {
				continue
			}
			c.purposes = append(c.purposes, purpose.Name)
			if purpose.Value.Consent != "" && len(c.purposes) == 1 {
				c.consent = purpose.Value.Consent
			}
			c.objectable = c.objectable || slices.Contains(objections, purpose.Name)
		}
		for _, o := range doc.OffSwitch {
			c.switched = c.switched || o.Value.Has(e.Name)
		}
		if len(c.purposes) > 0 {
			list = append(list, c)
		}
	}
	rank := func(c collection) int {
		switch {
		case c.consent != "":
			return 0
		case c.switched:
			return 1
		case c.objectable:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(list, func(a, b collection) int { return rank(a) - rank(b) })
	return list
}

// objectable are the purposes that a person may object to.
func objectable(doc *policy.Document) []string {
	right, _ := doc.Rights.Get("objection")
	return right.Purposes
}
