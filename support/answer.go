package support

import (
	"context"
	"fmt"
	"strconv"

	"musa"
	"musa/db"
)

// Reply answers a survey for the actor; a later reply replaces it.
func (d *Desk) Reply(ctx context.Context, by musa.Actor, id musa.SurveyID, given map[string]string) (Answers, error) {
	if err := own(by); err != nil {
		return Answers{}, err
	}
	var out Answers
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := open(ctx, tx, id)
		if err != nil {
			return err
		}
		if s.Closed > 0 {
			return &musa.Problem{Kind: musa.ErrGone, Code: "survey_closed", Public: "This survey is over. What you answered before can still be seen and deleted."}
		}
		kept, err := s.checkAnswers(given)
		if err != nil {
			return err
		}
		out = Answers{Version: 1, Survey: id, Answers: kept}
		return d.file(ctx, tx, by, s, out)
	})
	if err != nil {
		return Answers{}, fmt.Errorf("answer survey %s: %w", id, err)
	}
	return out, nil
}

func open(ctx context.Context, tx db.Tx, id musa.SurveyID) (Survey, error) {
	row, err := tx.Survey(ctx, id)
	if err != nil {
		return Survey{}, err
	}
	return surveyOf(row)
}

// Replied shows what the actor answered; ErrNotFound where they did not.
func (d *Desk) Replied(ctx context.Context, by musa.Actor, id musa.SurveyID) (Answers, error) {
	var out Answers
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := tx.Answer(ctx, id, by.Subject)
		if err != nil {
			return err
		}
		_, err = d.Vault.Read(ctx, tx, by, musa.PurposeHelp, a.Record, &out)
		return err
	})
	if err != nil {
		return Answers{}, fmt.Errorf("answer to survey %s: %w", id, err)
	}
	return out, nil
}

// Unreply erases what the actor answered. While the survey runs it is counted no more; totals
// that were shown lead to nobody and stay.
func (d *Desk) Unreply(ctx context.Context, by musa.Actor, id musa.SurveyID) error {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := open(ctx, tx, id)
		if err != nil {
			return err
		}
		a, err := tx.Answer(ctx, id, by.Subject)
		if err != nil {
			return err
		}
		if s.Closed == 0 {
			if a, err = d.withdraw(ctx, tx, by, s); err != nil {
				return err
			}
		}
		return d.Eraser.Records(ctx, tx, []musa.RecordID{a.Record})
	})
	if err != nil {
		return fmt.Errorf("erase answer to survey %s: %w", id, err)
	}
	return nil
}

// withdraw takes what the actor answered out of the counts; ErrNotFound where they did not.
func (d *Desk) withdraw(ctx context.Context, tx db.Tx, by musa.Actor, s Survey) (db.Answer, error) {
	a, err := tx.Answer(ctx, s.ID, by.Subject)
	if err != nil {
		return a, err
	}
	var was Answers
	if _, err := d.Vault.Read(ctx, tx, by, musa.PurposeHelp, a.Record, &was); err != nil {
		return a, err
	}
	return a, count(ctx, tx, s, was.Answers, -1)
}

// count changes the tallies of a survey by one person's answers. Words are not counted.
func count(ctx context.Context, tx db.Tx, s Survey, answers map[string]string, n int64) error {
	if err := tx.Count(ctx, db.Tally{Survey: s.ID, N: n}); err != nil {
		return err
	}
	for _, q := range s.Questions {
		a := answers[q.ID]
		if a == "" || q.Kind == AskWords {
			continue
		}
		if err := tx.Count(ctx, db.Tally{Survey: s.ID, Question: q.ID, Choice: a, N: n}); err != nil {
			return err
		}
	}
	return nil
}

// Totals is what the operator sees of a survey.
type Totals struct {
	MinGroup int // the policy's; smaller groups are not shown
	// Answered is how many people answered, in steps of MinGroup while the survey runs.
	Answered int
	Shown    bool // the survey is over and enough answered
	Groups   []Group
}

// Group is how many chose the same. Hidden where fewer than MinGroup did, or where the number
// would tell such a one.
type Group struct {
	Question, Choice string
	People           int
	Hidden           bool
}

// Totals sums a survey up for the operator. While it runs it tells no group: two looks, before
// and after somebody's answer, would tell that answer. Promise: categories.usage_total.min_group.
func (d *Desk) Totals(ctx context.Context, by musa.Actor, id musa.SurveyID) (Totals, error) {
	if err := staffed(by, musa.RoleOperator); err != nil {
		return Totals{}, err
	}
	line, _ := d.Policy().Categories.Get(string(musa.CategoryUsageTotal))
	out := Totals{MinGroup: max(line.MinGroup.Value(), 2)}
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := open(ctx, tx, id)
		if err != nil {
			return err
		}
		tallies, err := tx.Tallies(ctx, id)
		if err != nil {
			return err
		}
		counted := map[[2]string]int{}
		for _, t := range tallies {
			counted[[2]string{t.Question, t.Choice}] = int(t.N)
		}
		out.Answered = counted[[2]string{}]
		if s.Closed == 0 || out.Answered < out.MinGroup {
			out.Answered -= out.Answered % out.MinGroup
			return nil
		}
		out.Shown, out.Groups = true, nil
		for _, q := range s.Questions {
			out.Groups = append(out.Groups, groups(q, counted, out.Answered, out.MinGroup)...)
		}
		return nil
	})
	if err != nil {
		return Totals{}, fmt.Errorf("totals of survey %s: %w", id, err)
	}
	return out, nil
}

// groups are the totals of one question. Who left it out is a group, too: with one number
// missing, all people less the others would tell it, so a second one is hidden.
func groups(q Question, counted map[[2]string]int, all, least int) []Group {
	if q.Kind == AskWords {
		return nil
	}
	choices := q.Choices
	if q.Kind == AskScale {
		choices = nil
		for n := 1; n <= 5; n++ {
			choices = append(choices, strconv.Itoa(n))
		}
	}
	var list []Group
	left := all
	for _, c := range choices {
		n := counted[[2]string{q.ID, c}]
		left -= n
		list = append(list, Group{Question: q.ID, Choice: c, People: n})
	}
	list = append(list, Group{Question: q.ID, People: left})
	hidden, smallest := 0, -1
	for i := range list {
		if list[i].People < least && list[i].People > 0 {
			list[i].Hidden, hidden = true, hidden+1
		} else if list[i].People > 0 && (smallest < 0 || list[i].People < list[smallest].People) {
			smallest = i
		}
	}
	if hidden == 1 && smallest >= 0 {
		list[smallest].Hidden = true
	}
	for i := range list {
		if list[i].Hidden {
			list[i].People = 0
		}
	}
	return list
}
