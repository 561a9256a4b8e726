package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"musa"
	"musa/db"
	"musa/notice"
	"musa/vault"
)

// The kinds of question.
const (
	AskChoice = "choice" // one of several
	AskScale  = "scale"  // 1 to 5
	AskWords  = "words"
)

// The bounds of a survey.
const (
	maxQuestions = 50
	maxChoices   = 20
	maxTitle     = 300
)

// Question is one question of a survey.
type Question struct {
	ID      string   `json:"id"`
	Ask     string   `json:"ask"`
	Kind    string   `json:"kind"`
	Choices []string `json:"choices,omitempty"`
}

// questions are what a survey's row holds, as JSON.
type questions struct {
	Title     string     `json:"title"`
	Questions []Question `json:"questions"`
}

// Survey is a set of questions.
type Survey struct {
	ID        musa.SurveyID
	Created   musa.Millis
	Closed    musa.Millis // 0 while it can be answered
	Title     string
	Questions []Question
	Answered  bool // by the actor
}

// Answers is what a person answered, as it lies sealed and as an export holds it.
type Answers struct {
	Version int               `json:"version"`
	Survey  musa.SurveyID     `json:"survey"`
	Answers map[string]string `json:"answers"` // by the question's id
}

var questionID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Ask makes a survey and has those told who asked for surveys. Operators do; it names nobody.
// Promise W-03.
func (d *Desk) Ask(ctx context.Context, by musa.Actor, title string, list []Question) (Survey, error) {
	if err := staffed(by, musa.RoleOperator); err != nil {
		return Survey{}, err
	}
	if err := errors.Join(checkWords("title", title, maxTitle), checkQuestions(list)); err != nil {
		return Survey{}, err
	}
	plain, err := json.Marshal(questions{title, list})
	if err != nil {
		return Survey{}, fmt.Errorf("encode a survey: %w", err)
	}
	row := db.Survey{ID: musa.NewSurveyID(d.Clock()), Content: string(plain)}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row.Created = tx.Now
		return errors.Join(tx.InsertSurvey(ctx, row), d.Notices.TellSurvey(ctx, tx, title),
			tx.AppendAudit(ctx, db.AuditEvent{Action: "survey_made", Role: by.Role, Subject: by.Subject, Object: string(row.ID)}))
	})
	if err != nil {
		return Survey{}, fmt.Errorf("make a survey: %w", err)
	}
	return surveyOf(row)
}

func checkQuestions(list []Question) error {
	bad := func(field, public string) error {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "question_unusable", Field: field, Public: public}
	}
	if len(list) == 0 || len(list) > maxQuestions {
		return bad("questions", fmt.Sprintf("Ask 1 to %d questions.", maxQuestions))
	}
	seen := map[string]bool{}
	for i, q := range list {
		at := fmt.Sprintf("questions[%d]", i)
		if !questionID.MatchString(q.ID) || seen[q.ID] {
			return bad(at+".id", "Give each question an id of its own: small letters, digits and underscores, beginning with a letter.")
		}
		seen[q.ID] = true
		if err := checkWords("ask", q.Ask, maxNote); err != nil {
			return bad(at+".ask", "Say what is asked.")
		}
		switch {
		case q.Kind == AskChoice && (len(q.Choices) < 2 || len(q.Choices) > maxChoices || len(slices.Compact(slices.Sorted(slices.Values(q.Choices)))) != len(q.Choices)):
			return bad(at+".choices", fmt.Sprintf("Give 2 to %d choices that differ.", maxChoices))
		case q.Kind != AskChoice && q.Kind != AskScale && q.Kind != AskWords:
			return bad(at+".kind", "A question is a choice, a scale of 1 to 5, or words.")
		case slices.ContainsFunc(q.Choices, func(c string) bool { return c == "" || len(c) > maxTitle }):
			return bad(at+".choices", fmt.Sprintf("A choice has 1 to %d bytes.", maxTitle))
		}
	}
	return nil
}

func surveyOf(row db.Survey) (Survey, error) {
	var q questions
	if err := json.Unmarshal([]byte(row.Content), &q); err != nil {
		return Survey{}, fmt.Errorf("decode survey %s: %w", row.ID, err)
	}
	return Survey{ID: row.ID, Created: row.Created, Closed: row.Closed, Title: q.Title, Questions: q.Questions}, nil
}

// Surveys lists what concerns the actor, newest first: the open ones, if they asked for surveys, and
// those that they answered. Of a page of limit fewer may; last is where the next begins, empty
// where none does.
func (d *Desk) Surveys(ctx context.Context, by musa.Actor, after musa.SurveyID, limit int) (list []Survey, last musa.SurveyID, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		list, last = nil, ""
		wants, err := d.Notices.Wants(ctx, tx, by, notice.Survey)
		if err != nil {
			return err
		}
		rows, err := tx.Surveys(ctx, after, limit)
		if err != nil {
			return err
		}
		for _, row := range rows {
			s, err := surveyOf(row)
			if err != nil {
				return err
			}
			_, err = tx.Answer(ctx, row.ID, by.Subject)
			if err != nil && !errors.Is(err, musa.ErrNotFound) {
				return err
			}
			if s.Answered = err == nil; s.Answered || wants && s.Closed == 0 {
				list = append(list, s)
			}
		}
		if len(rows) == limit {
			last = rows[len(rows)-1].ID
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("list surveys: %w", err)
	}
	return list, last, nil
}

// AllSurveys lists every survey for the staff, newest first.
func (d *Desk) AllSurveys(ctx context.Context, by musa.Actor, after musa.SurveyID, limit int) ([]Survey, error) {
	if err := staffed(by, musa.RoleOperator, musa.RoleSupport); err != nil {
		return nil, err
	}
	var list []Survey
	err := d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Surveys(ctx, after, limit)
		list = make([]Survey, len(rows))
		for i, row := range rows {
			if list[i], err = surveyOf(row); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list all surveys: %w", err)
	}
	return list, nil
}

// EndSurvey closes a survey: from then on its totals can be seen, and nothing adds to them.
func (d *Desk) EndSurvey(ctx context.Context, by musa.Actor, id musa.SurveyID) error {
	if err := staffed(by, musa.RoleOperator); err != nil {
		return err
	}
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Survey(ctx, id); err != nil {
			return err
		}
		return errors.Join(tx.CloseSurvey(ctx, id), tx.AppendAudit(ctx, db.AuditEvent{Action: "survey_closed", Role: by.Role, Subject: by.Subject, Object: string(id)}))
	})
	if err != nil {
		return fmt.Errorf("close survey %s: %w", id, err)
	}
	return nil
}

// checkAnswers keeps of what was sent what answers a question, and refuses the rest.
func (s Survey) checkAnswers(given map[string]string) (map[string]string, error) {
	bad := func(field, public string) error {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "answer_unusable", Field: field, Public: public}
	}
	kept := map[string]string{}
	for _, q := range s.Questions {
		a := given[q.ID]
		if a == "" {
			continue
		}
		at := "answers." + q.ID
		switch q.Kind {
		case AskChoice:
			if !slices.Contains(q.Choices, a) {
				return nil, bad(at, "Choose one of the question's choices.")
			}
		case AskScale:
			if n, err := strconv.Atoi(a); err != nil || n < 1 || n > 5 || a != strconv.Itoa(n) {
				return nil, bad(at, "Answer with 1 to 5.")
			}
		default:
			if err := checkWords(at, a, maxNote); err != nil {
				return nil, err
			}
		}
		kept[q.ID] = a
	}
	if len(kept) == 0 {
		return nil, bad("answers", "Answer at least one question. To take your answers back, delete them.")
	}
	return kept, nil
}

// file seals what somebody answered and counts it.
func (d *Desk) file(ctx context.Context, tx db.Tx, by musa.Actor, s Survey, a Answers) error {
	had, err := d.withdraw(ctx, tx, by, s)
	if err != nil && !errors.Is(err, musa.ErrNotFound) {
		return err
	}
	if err == nil {
		err = d.Vault.Rewrite(ctx, tx, by, musa.PurposeHelp, had.Record, a)
	} else {
		var r db.Record
		r, err = d.Vault.File(ctx, tx, vault.Filing{By: by, Purpose: musa.PurposeHelp, Category: musa.CategorySurvey, Content: a})
		if err == nil {
			err = tx.InsertAnswer(ctx, db.Answer{Survey: s.ID, Subject: by.Subject, Record: r.ID, Created: tx.Now})
		}
	}
	if err != nil {
		return err
	}
	return count(ctx, tx, s, a.Answers, 1)
}
