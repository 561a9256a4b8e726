package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/lang"
	"musa/notice"
)

// Agreement is what the service is used under, and what of it somebody accepted.
type Agreement struct {
	Policy Accepted `json:"policy"`
	Terms  Accepted `json:"terms"`
	Accept string   `json:"accept" enum:"by_use,by_click" doc:"by_use: going on with the service accepts. by_click: nothing is made before POST /api/me/acceptance."`
	// AnswersForContent is who answers for pictures.
	AnswersForContent string         `json:"answers_for_content" doc:"subject: you answer for what you bring and have made."`
	Change            *PendingChange `json:"change,omitempty" doc:"A change that takes more from people, which every page shows until they went on with it."`
}

// Accepted is a version in force, and when somebody accepted it.
type Accepted struct {
	Version string `json:"version"`
	At      Time   `json:"at,omitempty" doc:"When you accepted this version; missing while you did not, or nobody is signed in."`
	Via     string `json:"via,omitempty" doc:"How: sign_up, use, settings."`
}

// PendingChange is what a version of the policy changes to people's disadvantage.
type PendingChange struct {
	From      string   `json:"from"`
	To        string   `json:"to"`
	Effective Time     `json:"effective"`
	Pending   bool     `json:"pending" doc:"It is announced and not in effect yet."`
	Why       []string `json:"why" doc:"longer, recipients, purpose, rights."`
	Changes   []string `json:"changes" doc:"In the words of the policy's page."`
}

// Answered is what came of an answer.
type Answered struct {
	Agreement
	Leave *Leave `json:"leave,omitempty" doc:"After a no: the ways out. Nothing was recorded and nothing was made."`
}

// Leave is how somebody leaves who does not accept.
type Leave struct {
	Export string `json:"export"`
	Erase  string `json:"erase"`
	Words  string `json:"words"`
}

// Tongue is the language that an answer comes in. (What inputs embed is exported: huma passes over the rest.)
type Tongue struct {
	Lang   string `query:"lang" maxLength:"40" doc:"What the policy says comes in it: en, de. Before Accept-Language."`
	Accept string `header:"Accept-Language" doc:"What the policy says comes in it: en, de."`
}

func (in Tongue) tag() string { return lang.Match(in.Lang, in.Accept).Tag() }

type acceptanceIn struct {
	Tongue
	Body struct {
		Answer string `json:"answer" enum:"yes,no"`
	}
}

func (d *door) acceptance() {
	huma.Register(d.api, huma.Operation{OperationID: "get-acceptance", Method: http.MethodGet, Path: "/api/acceptance",
		Summary: "Under which versions of the policy and the terms the service is used", Metadata: open}, d.agreement)
	huma.Register(d.api, huma.Operation{OperationID: "my-acceptance", Method: http.MethodGet, Path: "/api/me/acceptance",
		Summary: "Which of them you accepted, and when", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.myAgreement))
	huma.Register(d.api, huma.Operation{OperationID: "answer-acceptance", Method: http.MethodPost, Path: "/api/me/acceptance",
		Summary: "Accept, or decline and be led out", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.answer))
}

func (d *door) agreement(_ context.Context, in *Tongue) (*body[Agreement], error) {
	out := d.agreed(notice.Accepted{}, notice.Accepted{})
	if b, ok := d.Notices.Change(in.tag()); ok {
		out.Change = changeOf(b)
	}
	return &body[Agreement]{out}, nil
}

func (d *door) agreed(policy, terms notice.Accepted) Agreement {
	doc := d.Policy()
	return Agreement{Policy: Accepted{doc.Ref(), timeOf(policy.At), policy.Via}, Terms: Accepted{doc.Terms.Version, timeOf(terms.At), terms.Via},
		Accept: notice.Asking(doc), AnswersForContent: doc.Terms.AnswersForContent}
}

func changeOf(b notice.Banner) *PendingChange {
	return &PendingChange{From: b.From, To: b.To, Effective: timeOf(b.Effective), Pending: b.Pending, Why: b.Why, Changes: b.Changes}
}

func (d *door) myAgreement(ctx context.Context, by musa.Actor, in *Tongue) (*body[Agreement], error) {
	policy, terms, err := d.Notices.Acceptance(ctx, by)
	if err != nil {
		return nil, err
	}
	out := d.agreed(policy, terms)
	b, ok, err := d.Notices.Shown(ctx, by, in.tag())
	if ok {
		out.Change = changeOf(b)
	}
	return &body[Agreement]{out}, err
}

func (d *door) answer(ctx context.Context, by musa.Actor, in *acceptanceIn) (*body[Answered], error) {
	if in.Body.Answer == "yes" {
		if err := d.Notices.Accept(ctx, by); err != nil {
			return nil, err
		}
	}
	now, err := d.myAgreement(ctx, by, &in.Tongue)
	if err != nil {
		return nil, err
	}
	out := Answered{Agreement: now.Body}
	if in.Body.Answer == "no" {
		out.Leave = &Leave{Export: "/api/me/export", Erase: "/api/me/erasure",
			Words: "Nothing was recorded. Who does not accept does not use the service: take what is yours with you, erase it, or just leave; then it ends as the policy says."}
	}
	return &body[Answered]{out}, nil
}
