package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/support"
)

// Survey is a set of questions.
type Survey struct {
	ID        string             `json:"id"`
	Title     string             `json:"title"`
	Created   Time               `json:"created"`
	Closed    Time               `json:"closed" doc:"Null while it can be answered."`
	Questions []support.Question `json:"questions"`
	Answered  bool               `json:"answered" doc:"By you."`
}

// Surveys is one page of surveys.
type Surveys struct {
	Surveys []Survey `json:"surveys"`
	Next    string   `json:"next,omitempty" doc:"Pass as after for the next page."`
}

// SurveyAnswers is what somebody answered, by the question's id.
type SurveyAnswers struct {
	Survey  string            `json:"survey"`
	Answers map[string]string `json:"answers"`
}

// SurveyTotals is what the operator sees of a survey.
type SurveyTotals struct {
	MinGroup int           `json:"min_group" doc:"Smaller groups are not shown."`
	Answered int           `json:"answered" doc:"In steps of min_group while the survey runs."`
	Shown    bool          `json:"shown" doc:"The survey is over and enough people answered."`
	Groups   []SurveyGroup `json:"groups"`
}

// SurveyGroup is how many chose the same.
type SurveyGroup struct {
	Question string `json:"question"`
	Choice   string `json:"choice" doc:"Empty for those who left the question out."`
	People   int    `json:"people"`
	Hidden   bool   `json:"hidden,omitempty" doc:"Too few to be told."`
}

type surveysIn struct {
	After string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type surveyPath struct {
	ID string `path:"id"`
}

type replyIn struct {
	ID   string `path:"id"`
	Body struct {
		Answers map[string]string `json:"answers" doc:"By the question's id; what is left out is not answered."`
	}
}

type remarksIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"2000" doc:"Why. It is entered for each answer, and its person is shown that it was opened."`
		After  string `json:"after,omitempty" maxLength:"64" doc:"next of the page before."`
		Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"50" default:"20"`
	}
}

// Remarks is one page of what people wrote in their own words. Who wrote it is not said.
type Remarks struct {
	Remarks []Remark `json:"remarks"`
	Next    string   `json:"next,omitempty" doc:"Pass as after for the next page."`
}

// Remark is what somebody wrote to a question.
type Remark struct {
	Question string `json:"question"`
	Words    string `json:"words"`
}

type surveyIn struct {
	Body struct {
		Title     string             `json:"title" maxLength:"300"`
		Questions []support.Question `json:"questions" maxItems:"50"`
	}
}

func (d *door) surveys() {
	const answer, staff = "/api/surveys/{id}/answer", staffPrefix + "surveys"
	huma.Register(d.api, huma.Operation{OperationID: "list-surveys", Method: http.MethodGet, Path: "/api/surveys",
		Summary: "What the operator asks those who asked for surveys, and what you answered; nobody has to answer", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.listSurveys))
	huma.Register(d.api, huma.Operation{OperationID: "get-answer", Method: http.MethodGet, Path: answer,
		Summary: "What you answered", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.getAnswer))
	huma.Register(d.api, huma.Operation{OperationID: "answer-survey", Method: http.MethodPost, Path: answer,
		Summary: "Answer a survey, or change what you answered", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.answerSurvey))
	huma.Register(d.api, huma.Operation{OperationID: "erase-answer", Method: http.MethodDelete, Path: answer,
		Summary: "Erase what you answered", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.eraseAnswer))
	huma.Register(d.api, huma.Operation{OperationID: "staff-surveys", Method: http.MethodGet, Path: staff,
		Summary: "All surveys, newest first", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.allSurveys))
	huma.Register(d.api, huma.Operation{OperationID: "survey-remarks", Method: http.MethodPost, Path: staff + "/{id}/remarks",
		Summary: "Read what people wrote in their own words, for a reason that is entered first", Security: secured, Metadata: staffed(helpers)}, serveAs(d, helpers, d.surveyRemarks))
	huma.Register(d.api, huma.Operation{OperationID: "make-survey", Method: http.MethodPost, Path: staff,
		Summary: "Make a survey", DefaultStatus: http.StatusCreated, Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.makeSurvey))
	huma.Register(d.api, huma.Operation{OperationID: "close-survey", Method: http.MethodPost, Path: staff + "/{id}/close",
		Summary: "End a survey; its totals can be seen then", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.closeSurvey))
	huma.Register(d.api, huma.Operation{OperationID: "survey-totals", Method: http.MethodGet, Path: staff + "/{id}/totals",
		Summary: "What was answered, in groups that are large enough", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.surveyTotals))
}

func surveyOf(s support.Survey) Survey {
	return Survey{ID: string(s.ID), Title: s.Title, Created: timeOf(s.Created), Closed: timeOf(s.Closed), Questions: s.Questions, Answered: s.Answered}
}

func (d *door) listSurveys(ctx context.Context, by musa.Actor, in *surveysIn) (*body[Surveys], error) {
	list, last, err := d.Support.Surveys(ctx, by, musa.SurveyID(in.After), in.Limit)
	return surveysOf(list, last, err)
}

func (d *door) allSurveys(ctx context.Context, by musa.Actor, in *surveysIn) (*body[Surveys], error) {
	list, err := d.Support.AllSurveys(ctx, by, musa.SurveyID(in.After), in.Limit)
	var last musa.SurveyID
	if len(list) == in.Limit {
		last = list[len(list)-1].ID
	}
	return surveysOf(list, last, err)
}

func surveysOf(list []support.Survey, last musa.SurveyID, err error) (*body[Surveys], error) {
	if err != nil {
		return nil, err
	}
	out := Surveys{Surveys: []Survey{}, Next: string(last)}
	for _, s := range list {
		out.Surveys = append(out.Surveys, surveyOf(s))
	}
	return &body[Surveys]{out}, nil
}

func (d *door) surveyRemarks(ctx context.Context, by musa.Actor, in *remarksIn) (*body[Remarks], error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := d.Support.Remarks(ctx, by, support.Reading{Survey: id, Reason: in.Body.Reason, After: musa.RecordID(in.Body.After), Limit: in.Body.Limit})
	if err != nil {
		return nil, err
	}
	out := Remarks{Remarks: []Remark{}, Next: string(next)}
	for _, r := range list {
		out.Remarks = append(out.Remarks, Remark(r))
	}
	return &body[Remarks]{out}, nil
}

func answersOf(a support.Answers, err error) (*body[SurveyAnswers], error) {
	if err != nil {
		return nil, err
	}
	return &body[SurveyAnswers]{SurveyAnswers{Survey: string(a.Survey), Answers: a.Answers}}, nil
}

func (d *door) getAnswer(ctx context.Context, by musa.Actor, in *surveyPath) (*body[SurveyAnswers], error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	return answersOf(d.Support.Replied(ctx, by, id))
}

func (d *door) answerSurvey(ctx context.Context, by musa.Actor, in *replyIn) (*body[SurveyAnswers], error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	return answersOf(d.Support.Reply(ctx, by, id, in.Body.Answers))
}

func (d *door) eraseAnswer(ctx context.Context, by musa.Actor, in *surveyPath) (*struct{}, error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Support.Unreply(ctx, by, id)
}

func (d *door) makeSurvey(ctx context.Context, by musa.Actor, in *surveyIn) (*body[Survey], error) {
	s, err := d.Support.Ask(ctx, by, in.Body.Title, in.Body.Questions)
	if err != nil {
		return nil, err
	}
	return &body[Survey]{surveyOf(s)}, nil
}

func (d *door) closeSurvey(ctx context.Context, by musa.Actor, in *surveyPath) (*struct{}, error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Support.EndSurvey(ctx, by, id)
}

func (d *door) surveyTotals(ctx context.Context, by musa.Actor, in *surveyPath) (*body[SurveyTotals], error) {
	id, err := musa.ParseSurveyID(in.ID)
	if err != nil {
		return nil, err
	}
	t, err := d.Support.Totals(ctx, by, id)
	if err != nil {
		return nil, err
	}
	out := SurveyTotals{MinGroup: t.MinGroup, Answered: t.Answered, Shown: t.Shown, Groups: []SurveyGroup{}}
	for _, g := range t.Groups {
		out.Groups = append(out.Groups, SurveyGroup(g))
	}
	return &body[SurveyTotals]{out}, nil
}
