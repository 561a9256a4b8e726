package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"musa"
	"musa/db"
	"musa/lang"
)

// Bounds of what an operator tells.
const (
	mostSubject = 150
	mostText    = 10_000
	mostNews    = 200 // that a page goes through
)

// Announce tells everybody who asked for a kind, or every account what the service itself has to
// say, in the words of an operator, by language. Those whose language is missing read the first of
// those that are there.
func (n *Notices) Announce(ctx context.Context, by musa.Actor, kind string, words map[string]Words) (musa.NewsID, error) {
	if by.Role != musa.RoleOperator {
		return "", musa.ErrNotFound
	}
	if err := n.isNews(kind); err != nil {
		return "", err
	}
	if err := checkWords(words); err != nil {
		return "", err
	}
	var id musa.NewsID
	err := n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if id, err = insert(ctx, tx, kind, words); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "news_sent", Role: by.Role, Subject: by.Subject, Object: string(id)})
	})
	if err != nil {
		return "", fmt.Errorf("announce news: %w", err)
	}
	return id, nil
}

func insert(ctx context.Context, tx db.Tx, kind string, words map[string]Words) (musa.NewsID, error) {
	raw, err := json.Marshal(words)
	if err != nil {
		return "", fmt.Errorf("words of news: %w", err)
	}
	id := musa.NewNewsID(tx.Now.Time())
	return id, tx.InsertNews(ctx, db.News{ID: id, Kind: kind, Words: string(raw)})
}

// isNews refuses what nobody can be told: a kind that the policy does not name.
func (n *Notices) isNews(kind string) error {
	if line, ok := n.inForce().Mails.Get(Service); kind == Service && ok && line.Exempt.On() {
		return nil
	}
	return n.isList(kind, "kind")
}

// TellSurvey has those who asked for surveys told of one, in the caller's transaction. Where the
// policy knows no such kind nobody can have asked.
func (n *Notices) TellSurvey(ctx context.Context, tx db.Tx, title string) error {
	doc, words := n.inForce(), map[string]Words{}
	if n.isList(Survey, "kind") != nil {
		return nil
	}
	for _, c := range lang.All() {
		words[c.Tag()] = Words{Subject: oneLine(c.T("mail.survey.subject", lang.Vars{"title": title})), Text: c.T("mail.survey.text", lang.Vars{"studio": doc.Controller.Name})}
	}
	_, err := insert(ctx, tx, Survey, words)
	return err
}

// Wants says whether somebody asked to hear of a kind, by whichever way.
func (n *Notices) Wants(ctx context.Context, tx db.Tx, by musa.Actor, kind string) (bool, error) {
	words, err := tx.LastWords(ctx, by.Subject)
	doc := n.inForce()
	return n.allows(doc, by.Standing, words, ByMail, kind) || n.allows(doc, by.Standing, words, ByPage, kind), err
}

func checkWords(words map[string]Words) error {
	if len(words) == 0 {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "words_needed", Field: "words", Public: "Write a subject and a text in at least one language."}
	}
	for tag, w := range words {
		if language(tag).Tag() != tag {
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "language_unknown", Field: "words",
				Public: "Words are given by language: " + strings.Join(tags(), ", ") + "."}
		}
		if strings.TrimSpace(w.Subject) == "" || strings.TrimSpace(w.Text) == "" || utf8.RuneCountInString(w.Subject) > mostSubject || utf8.RuneCountInString(w.Text) > mostText || !plain(w.Subject) {
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "words_unusable", Field: "words",
				Public: fmt.Sprintf("A subject is one line of at most %d characters, a text has at most %d.", mostSubject, mostText)}
		}
	}
	return nil
}

// Item is news as a page shows them.
type Item struct {
	ID    musa.NewsID
	Kind  string
	At    musa.Millis
	Words Words
}

// News are what the service itself had to say in the last twelve months, and what a person asked to
// see, the newest first, in the language that they chose or their browser asks for. For nobody it
// is the former alone. Promises C-31, W-03.
func (n *Notices) News(ctx context.Context, by musa.Actor, chosen, accept string) ([]Item, error) {
	var list []Item
	tag := lang.Match(chosen, accept).Tag()
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list = nil
		words, err := tx.LastWords(ctx, by.Subject)
		if err != nil {
			return err
		}
		all, err := tx.NewsSince(ctx, tx.Now.Add(-since), mostNews)
		if err != nil {
			return err
		}
		doc := n.inForce()
		for _, one := range all {
			if one.Kind != Service && !n.allows(doc, by.Standing, words, ByPage, one.Kind) {
				continue
			}
			w, _, err := spoken(one, tag)
			if err != nil {
				return err
			}
			list = append(list, Item{one.ID, one.Kind, one.Created, w})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("news for %s: %w", by.Subject, err)
	}
	return list, nil
}
