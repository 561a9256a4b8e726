package notice

import (
	"context"
	"errors"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
)

// page is how many people are told in one transaction.
const page = 200

// pair is a version that was taken up, and the one before it.
type pair struct {
	adoption     db.Adoption
	older, newer *policy.Document
}

// pair finds an adoption by its number, with both documents. musa.ErrNotFound for the first, and
// while this node has not taken the newer up itself.
func (n *Notices) pair(ctx context.Context, tx db.Tx, seq int64) (pair, error) {
	list, err := tx.Adoptions(ctx)
	if err != nil {
		return pair{}, err
	}
	v := n.Versions()
	for i, a := range list {
		if a.Seq != seq || i == 0 {
			continue
		}
		newer, known := v.Of(a.Version)
		older, before := v.Of(list[i-1].Version)
		if known && before {
			return pair{a, older, newer}, nil
		}
	}
	return pair{}, fmt.Errorf("adoption %d: %w", seq, musa.ErrNotFound)
}

// tellVersions orders a mail to every account for each version that takes more than the one
// before it, page by page: what was ordered and how far it is commit together, so that a crash
// neither leaves anybody out nor tells anybody twice. Promise C-41.
func (n *Notices) tellVersions(ctx context.Context) error {
	return n.tell(ctx, "policy", func(ctx context.Context, tx db.Tx) (told, error) {
		a, err := tx.UntoldAdoption(ctx)
		if err != nil {
			return told{}, err
		}
		p, err := n.pair(ctx, tx, a.Seq)
		if err != nil {
			return told{}, err
		}
		t := told{at: a.NextSubject, mail: db.Mail{Kind: Policy, Object: fmt.Sprint(a.Seq), Once: fmt.Sprintf("policy %d %s", a.Seq, a.Version)},
			people: tx.Reachable,
			save: func(ctx context.Context, next musa.SubjectID, done musa.Millis) error {
				a.NextSubject, a.Told = next, done
				return tx.SaveTelling(ctx, a)
			}}
		if len(policy.Matters(p.older, p.newer)) == 0 || !p.newer.Changes.Material.Notify.Has("email") {
			t.people = nobody
		}
		return t, nil
	})
}

// nobody is told of a change of words.
func nobody(context.Context, musa.SubjectID, int) ([]musa.SubjectID, error) { return nil, nil }

// told is something that is being told, and how far it is.
type told struct {
	at     musa.SubjectID
	mail   db.Mail // but for whom it goes to
	people func(ctx context.Context, after musa.SubjectID, limit int) ([]musa.SubjectID, error)
	save   func(ctx context.Context, next musa.SubjectID, done musa.Millis) error
}

// tell orders mails page by page until nothing is left to tell. musa.ErrNotFound from next is the
// end.
func (n *Notices) tell(ctx context.Context, what string, next func(context.Context, db.Tx) (told, error)) error {
	// Without anything to tell nobody who writes has to wait.
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := next(ctx, tx)
		return err
	})
	for err == nil && ctx.Err() == nil {
		err = n.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			t, err := next(ctx, tx)
			if err != nil {
				return err
			}
			people, err := t.people(ctx, t.at, page)
			if err != nil {
				return err
			}
			for _, id := range people {
				t.mail.Subject = id
				if err := tx.QueueMail(ctx, t.mail); err != nil {
					return err
				}
				t.at = id
			}
			if len(people) < page {
				return t.save(ctx, t.at, tx.Now)
			}
			return t.save(ctx, t.at, 0)
		})
	}
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return fmt.Errorf("tell %s: %w", what, err)
	}
	return nil
}

// tellNews orders a mail to everybody who asked for the kind; of what the service itself has to say,
// to every account. Promise O-08.
func (n *Notices) tellNews(ctx context.Context) error {
	return n.tell(ctx, "news", func(ctx context.Context, tx db.Tx) (told, error) {
		news, err := tx.UntoldNews(ctx)
		if err != nil {
			return told{}, err
		}
		return told{at: news.NextSubject, mail: db.Mail{Kind: news.Kind, Object: string(news.ID), Once: "news " + string(news.ID)},
			people: func(ctx context.Context, after musa.SubjectID, limit int) ([]musa.SubjectID, error) {
				if news.Kind == Service {
					return tx.Reachable(ctx, after, limit)
				}
				return tx.Willing(ctx, choice(ByMail, news.Kind), after, limit)
			},
			save: func(ctx context.Context, next musa.SubjectID, done musa.Millis) error {
				news.NextSubject, news.Told = next, done
				return tx.SaveNews(ctx, news)
			}}, nil
	})
}

// tellIncidents tells those for whom an operator ordered it of the incidents that concern them: on
// their page, and by mail where an address is known. Who was told and their mail commit together.
// Policy security.incident.
func (n *Notices) tellIncidents(ctx context.Context) error {
	err := n.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Untold(ctx, 1)
		return err
	})
	for err == nil && ctx.Err() == nil {
		err = n.DB.Write(ctx, tellAffected)
	}
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return fmt.Errorf("tell of incidents: %w", err)
	}
	return nil
}

func tellAffected(ctx context.Context, tx db.Tx) error {
	list, err := tx.Untold(ctx, page)
	if err != nil {
		return err
	}
	incident, ids := list[0].Incident, make([]musa.SubjectID, len(list))
	for i, a := range list {
		ids[i] = a.Subject
	}
	reached, err := tx.Reached(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range reached {
		if err := tx.QueueMail(ctx, db.Mail{Subject: id, Kind: Breach, Object: string(incident), Once: "breach " + string(incident)}); err != nil {
			return err
		}
	}
	return tx.Tell(ctx, incident, ids)
}
