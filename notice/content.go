package notice

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"musa"
	"musa/db"
	"musa/lang"
	"musa/policy"
)

//go:embed layout.html
var layoutText string

var layout = template.Must(template.New("mail").Parse(layoutText))

// content is what a mail says, before it has a form.
type content struct {
	Language   string // the reader's
	Spoken     string // the one of the words in the middle, where an operator wrote them
	Studio     string // who sends it
	Subject    string
	Paragraphs []string
	Points     []string // below the paragraphs
	Act, Link  string   // the one thing to do, and where
	Why        string   // it came
	Stop       string   // where it is stopped; empty for what the service itself needs
	StopWords  string
	Contact    string

	stopDoor string // where a mailbox stops it by itself
}

// mostPoints bounds what a mail lists; its link leads to the rest.
const mostPoints = 12

// content writes a mail in the language of its reader.
func (n *Notices) content(ctx context.Context, tx db.Tx, m db.Mail, to Addressee) (content, error) {
	words, doc := language(to.Language), n.inForce()
	c := content{Language: words.Tag(), Spoken: words.Tag(), Studio: doc.Controller.Name, Contact: doc.Controller.Contact}
	k, ok := kinds[m.Kind]
	if !ok && m.Kind != Service {
		return n.listed(ctx, tx, m, words, c)
	}
	if line, ok := doc.Mails.Get(Service); !ok || !line.Exempt.On() {
		return content{}, &musa.Problem{Kind: musa.ErrRefused, Code: "mail_undeclared", Public: "The policy names no mails of the service (mails.service)."}
	}
	if m.Kind == Service {
		return n.told(ctx, tx, m, words, c)
	}
	vars := lang.Vars{"studio": c.Studio, "name": oneLine(to.Name), "site": n.post.Site}
	var err error
	if c.Points, err = n.particulars(ctx, tx, m, words, vars); err != nil {
		return content{}, err
	}
	key := "mail." + m.Kind
	if _, ok := words.Message(key + "." + m.Object + ".subject"); ok {
		key += "." + m.Object // said otherwise: suspended, and then restored
	}
	c.Subject = words.T(key+".subject", vars)
	c.Paragraphs = strings.Split(words.T(key+".text", vars), "\n")
	if _, ok := words.Message(key + ".act"); ok {
		c.Act, c.Link = words.T(key+".act", vars), k.link(n.post.Site, m.Object, to.Secret)
	}
	if m.Kind == Policy {
		c.Link = n.post.Site + "/privacy/changes?" + vars["query"].(string)
	}
	c.Why = words.T(key+".why", vars)
	c.StopWords = words.T("mail.nostop", vars)
	return c, nil
}

// particulars puts into vars what a kind of mail says besides, and gives what it lists.
func (n *Notices) particulars(ctx context.Context, tx db.Tx, m db.Mail, words *lang.Catalogue, vars lang.Vars) ([]string, error) {
	switch m.Kind {
	case Policy:
		return n.changes(ctx, tx, m, words, vars)
	case FactorChanged:
		what := "mail.factor." + m.Object
		if _, ok := words.Message(what); !ok {
			what = "mail.factor.other"
		}
		vars["what"] = words.T(what, nil)
	case List:
		vars["name"] = named(words, vars["name"].(string))
	case Closing:
		s, err := tx.Subject(ctx, m.Subject)
		if err != nil {
			return nil, err
		}
		if s.State != musa.SubjectClosed || m.Object != string(s.Receipt) {
			return nil, errSettled // it was taken back before the mail left
		}
		vars["date"] = words.Moment(s.Closed.Add(n.Versions().Grace(s.Closed)).Time())
	}
	return nil, nil
}

// changes are what a version of the policy changes; m.Object is the number of its adoption.
func (n *Notices) changes(ctx context.Context, tx db.Tx, m db.Mail, words *lang.Catalogue, vars lang.Vars) ([]string, error) {
	seq, err := strconv.ParseInt(m.Object, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("adoption of a mail: %w", musa.ErrInvalid)
	}
	p, err := n.pair(ctx, tx, seq)
	if err != nil {
		return nil, err
	}
	vars["query"] = url.Values{"from": {p.older.Ref()}, "to": {p.newer.Ref()}}.Encode()
	vars["version"], vars["date"] = p.newer.Version, words.Day(p.adoption.Effective.Time())
	var reasons []string
	for _, r := range policy.Matters(p.older, p.newer) {
		reasons = append(reasons, words.T("mail.matters."+r, nil))
	}
	vars["reasons"] = strings.Join(reasons, ", ")
	points := matters(words.Tag(), p.older, p.newer)
	if len(points) > mostPoints {
		left := len(points) - mostPoints
		points = append(points[:mostPoints], words.T("mail.more", lang.Vars{"n": left, "count": left}))
	}
	return points, nil
}

// named is a kind of news in words; one that only this policy knows is told by its name there.
func named(words *lang.Catalogue, kind string) string {
	if _, ok := words.Message("mail.of." + kind); ok {
		return words.T("mail.of."+kind, nil)
	}
	return kind
}

// Words are an operator's, in one language.
type Words struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// told writes what the service itself has to say to every account.
func (n *Notices) told(ctx context.Context, tx db.Tx, m db.Mail, words *lang.Catalogue, c content) (content, error) {
	c, err := n.operatorsWords(ctx, tx, m, words, c)
	if err != nil {
		return content{}, err
	}
	c.Act, c.Link = words.T("mail.service.act", nil), n.post.Site+"/news"
	c.Why, c.StopWords = words.T("mail.service.why", lang.Vars{"studio": c.Studio}), words.T("mail.nostop", nil)
	return c, nil
}

// listed writes what somebody asked to hear.
func (n *Notices) listed(ctx context.Context, tx db.Tx, m db.Mail, words *lang.Catalogue, c content) (content, error) {
	c, err := n.operatorsWords(ctx, tx, m, words, c)
	if err != nil {
		return content{}, err
	}
	secret := n.stopSecret(m.Subject, m.Kind)
	if m.Kind == Survey {
		c.Act, c.Link = words.T("mail.survey.act", nil), n.post.Site+"/surveys"
	}
	c.Why = words.T("mail.list.because", lang.Vars{"studio": c.Studio, "name": named(words, m.Kind)})
	c.StopWords = words.T("mail.stop", nil)
	c.Stop, c.stopDoor = n.post.Site+"/confirm?for=stop#"+secret, n.post.Site+"/api/lists/stop/"+secret
	return c, nil
}

// operatorsWords takes what an operator wrote into a mail: in the reader's language, or else in one
// that they wrote in. What stands around it is the reader's all the same.
func (n *Notices) operatorsWords(ctx context.Context, tx db.Tx, m db.Mail, words *lang.Catalogue, c content) (content, error) {
	news, err := tx.NewsOf(ctx, musa.NewsID(m.Object))
	if err != nil {
		return content{}, err
	}
	said, tag, err := spoken(news, words.Tag())
	if err != nil {
		return content{}, err
	}
	c.Spoken, c.Subject, c.Paragraphs = tag, said.Subject, paragraphs(said.Text)
	return c, nil
}

// paragraphs are the lines of a text that say something.
func paragraphs(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// spoken is news in a language, or in the first that they were written in.
func spoken(news db.News, tag string) (Words, string, error) {
	var all map[string]Words
	if err := json.Unmarshal([]byte(news.Words), &all); err != nil {
		return Words{}, "", fmt.Errorf("words of news %s: %w", news.ID, err)
	}
	for _, t := range append([]string{tag}, tags()...) {
		if w, ok := all[t]; ok {
			return w, t, nil
		}
	}
	return Words{}, "", fmt.Errorf("words of news %s: %w", news.ID, musa.ErrNotFound)
}

func tags() (all []string) {
	for _, c := range lang.All() {
		all = append(all, c.Tag())
	}
	return all
}

func (c content) html() (string, error) {
	var out bytes.Buffer
	if err := layout.Execute(&out, c); err != nil {
		return "", fmt.Errorf("lay out the mail: %w", err)
	}
	return out.String(), nil
}

// plain is the same for those who read no HTML.
func (c content) plain() string {
	var b strings.Builder
	for _, p := range c.Paragraphs {
		b.WriteString(p + "\n\n")
	}
	for _, p := range c.Points {
		b.WriteString("- " + p + "\n")
	}
	if len(c.Points) > 0 {
		b.WriteString("\n")
	}
	if c.Act != "" {
		b.WriteString(c.Act + ":\n" + c.Link + "\n\n")
	}
	b.WriteString("-- \n" + c.Studio + " · " + c.Contact + "\n" + c.Why + "\n" + c.StopWords)
	if c.Stop != "" {
		b.WriteString("\n" + c.Stop)
	}
	return b.String() + "\n"
}
