package db

import (
	"context"

	"github.com/uptrace/bun"

	"musa"
)

// Survey is a set of questions that the operator asks.
//
// Category: technical.
type Survey struct {
	bun.BaseModel `bun:"table:surveys"`

	ID      musa.SurveyID `bun:",pk"`
	Created musa.Millis
	Closed  musa.Millis // 0 while it can be answered
	Content string      // the questions, as JSON
}

var surveyTable = Table{Name: "surveys", Category: Technical, Columns: columns(Technical, "id", "created", "closed", "content")}

// Answer is what a person answered to a survey; the words lie sealed in a record.
//
// Category: survey.
type Answer struct {
	bun.BaseModel `bun:"table:answers"`

	Survey  musa.SurveyID  `bun:",pk"`
	Subject musa.SubjectID `bun:",pk"`
	Record  musa.RecordID
	Created musa.Millis
}

var answerTable = Table{Name: "answers", Category: musa.CategorySurvey, Columns: columns(musa.CategorySurvey, "survey", "subject", "record", "created"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}, {"record", "records", Follow}}}

// Tally counts how often one option of a question was chosen. It names nobody.
//
// Category: usage_total.
type Tally struct {
	bun.BaseModel `bun:"table:tallies"`

	Survey   musa.SurveyID `bun:",pk"`
	Question string        `bun:",pk"`
	Choice   string        `bun:",pk"`
	N        int64
}

var tallyTable = Table{Name: "tallies", Category: musa.CategoryUsageTotal, Columns: columns(musa.CategoryUsageTotal, "survey", "question", "choice", "n")}

// InsertSurvey adds a survey.
func (tx Tx) InsertSurvey(ctx context.Context, s Survey) error {
	return wrapf(tx.insert(ctx, &s), "insert survey %s", s.ID)
}

// Survey finds a survey; musa.ErrNotFound. In a Write its row stays locked until the end.
func (tx Tx) Survey(ctx context.Context, id musa.SurveyID) (Survey, error) {
	var s Survey
	err := tx.get(ctx, &s, "SELECT * FROM surveys WHERE id = ? ?", id, tx.locked(forUpdate))
	return s, wrapf(err, "survey %s", id)
}

// Surveys lists surveys older than after ("" for all), newest first.
func (tx Tx) Surveys(ctx context.Context, after musa.SurveyID, limit int) ([]Survey, error) {
	var list []Survey
	err := tx.get(ctx, &list, "SELECT * FROM surveys WHERE (? = '' OR id < ?) ORDER BY id DESC LIMIT ?", string(after), after, limit)
	return list, wrapf(err, "surveys")
}

// CloseSurvey ends a survey now; having been ended is no error.
func (tx Tx) CloseSurvey(ctx context.Context, id musa.SurveyID) error {
	_, err := tx.exec(ctx, "UPDATE surveys SET closed = ? WHERE id = ? AND closed = 0", tx.Now, id)
	return wrapf(err, "close survey %s", id)
}

// InsertAnswer adds a person's answer; musa.ErrConflict when they answered before.
func (tx Tx) InsertAnswer(ctx context.Context, a Answer) error {
	n, err := tx.exec(ctx, "INSERT INTO answers (survey, subject, record, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", a.Survey, a.Subject, a.Record, a.Created)
	if err == nil && n == 0 {
		err = musa.ErrConflict
	}
	return wrapf(err, "insert answer to %s", a.Survey)
}

// Answer finds what a person answered; musa.ErrNotFound. In a Write its row stays locked.
func (tx Tx) Answer(ctx context.Context, survey musa.SurveyID, subject musa.SubjectID) (Answer, error) {
	var a Answer
	err := tx.get(ctx, &a, "SELECT * FROM answers WHERE survey = ? AND subject = ? ?", survey, subject, tx.locked(forUpdate))
	return a, wrapf(err, "answer to %s", survey)
}

// Answers lists what was answered to a survey, by its record after one ("" for all): an order that
// leads to nobody.
func (tx Tx) Answers(ctx context.Context, survey musa.SurveyID, after musa.RecordID, limit int) ([]Answer, error) {
	var list []Answer
	err := tx.get(ctx, &list, "SELECT * FROM answers WHERE survey = ? AND record > ? ORDER BY record LIMIT ?", survey, string(after), limit)
	return list, wrapf(err, "answers to %s", survey)
}

// Count changes a tally by n.
func (tx Tx) Count(ctx context.Context, t Tally) error {
	_, err := tx.exec(ctx, `INSERT INTO tallies (survey, question, choice, n) VALUES (?, ?, ?, ?)
		ON CONFLICT (survey, question, choice) DO UPDATE SET n = tallies.n + excluded.n`, t.Survey, t.Question, t.Choice, t.N)
	return wrapf(err, "count for %s", t.Survey)
}

// Tallies lists what was counted for a survey.
func (tx Tx) Tallies(ctx context.Context, survey musa.SurveyID) ([]Tally, error) {
	var list []Tally
	err := tx.get(ctx, &list, "SELECT * FROM tallies WHERE survey = ? ORDER BY question, choice", survey)
	return list, wrapf(err, "tallies of %s", survey)
}
