package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/rights"
)

// Suspension is an account that is set aside until a person decides.
type Suspension struct {
	Subject string `json:"subject,omitempty" doc:"For the staff."`
	Clause  string `json:"clause" doc:"The line of the policy that it rests on."`
	Thread  string `json:"thread,omitempty" doc:"The report, for the staff."`
	Since   Time   `json:"since"`
	Due     Time   `json:"due" doc:"When it has to be decided."`
	Overdue bool   `json:"overdue,omitempty"`
	Words   string `json:"words,omitempty" doc:"What it means, for the person."`
}

// Suspensions lists what has to be decided, the most urgent first.
type Suspensions struct {
	Suspensions []Suspension `json:"suspensions"`
}

// FoundPerson is an account that an exact address led to.
type FoundPerson struct {
	Subject string `json:"subject"`
	State   string `json:"state"`
	Tier    string `json:"tier"`
	Created Time   `json:"created"`
}

// ErasedPerson is the end of a suspended account.
type ErasedPerson struct {
	Erased     Time   `json:"erased"`
	Receipt    string `json:"receipt"`
	Capability string `json:"capability" doc:"Opens the receipt without an account: give it to whoever reported."`
}

type decisionIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"2000" doc:"Why. It is sealed with the audit log."`
		Thread string `json:"thread,omitempty" maxLength:"64" doc:"The report that it answers."`
	}
}

type findIn struct {
	Body struct {
		Email string `json:"email" maxLength:"1000" doc:"The whole address: nobody is found by a part of it."`
	}
}

func (d *door) peopleAdmin() {
	const path, one = staffPrefix + "people", staffPrefix + "people/{id}"
	huma.Register(d.api, huma.Operation{OperationID: "list-suspended", Method: http.MethodGet, Path: path,
		Summary: "Suspended accounts, those first that have to be decided first", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.listSuspended))
	huma.Register(d.api, huma.Operation{OperationID: "find-person", Method: http.MethodPost, Path: path + "/find",
		Summary: "Find an account by its exact address", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.findPerson))
	huma.Register(d.api, huma.Operation{OperationID: "suspend-person", Method: http.MethodPost, Path: one + "/suspend",
		Summary: "Suspend an account at once, after a report was confirmed to be plausible", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.suspendPerson))
	huma.Register(d.api, huma.Operation{OperationID: "restore-person", Method: http.MethodPost, Path: one + "/restore",
		Summary: "End a suspension: the report was wrong", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.restorePerson))
	huma.Register(d.api, huma.Operation{OperationID: "erase-person", Method: http.MethodPost, Path: one + "/erase",
		Summary: "Erase a suspended account for good, with a receipt", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.erasePerson))
}

func suspensionOf(s rights.Suspension) Suspension {
	return Suspension{Subject: string(s.Subject), Clause: s.Clause, Thread: string(s.Thread), Since: timeOf(s.Since), Due: timeOf(s.Due), Overdue: s.Overdue}
}

// mostSuspended is how many suspensions are listed; the most urgent come first.
const mostSuspended = 500

func (d *door) listSuspended(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Suspensions], error) {
	list, err := d.Rights.Suspensions(ctx, by, mostSuspended)
	if err != nil {
		return nil, err
	}
	out := Suspensions{Suspensions: []Suspension{}}
	for _, s := range list {
		out.Suspensions = append(out.Suspensions, suspensionOf(s))
	}
	return &body[Suspensions]{out}, nil
}

func (d *door) findPerson(ctx context.Context, by musa.Actor, in *findIn) (*body[FoundPerson], error) {
	f, err := d.Accounts.Find(ctx, by, in.Body.Email)
	if err != nil {
		return nil, err
	}
	return &body[FoundPerson]{FoundPerson{Subject: string(f.Subject), State: string(f.State), Tier: string(f.Tier), Created: timeOf(f.Created)}}, nil
}

func (in *decisionIn) decision() (rights.Decision, error) {
	id, err := musa.ParseSubjectID(in.ID)
	if err != nil {
		return rights.Decision{}, err
	}
	out := rights.Decision{Subject: id, Reason: in.Body.Reason}
	if in.Body.Thread == "" {
		return out, nil
	}
	if out.Thread, err = musa.ParseThreadID(in.Body.Thread); err != nil {
		return out, &musa.Problem{Kind: musa.ErrInvalid, Code: "thread_unknown", Field: "thread", Public: "Give the id of a thread: th_ and 26 characters."}
	}
	return out, nil
}

func (d *door) suspendPerson(ctx context.Context, by musa.Actor, in *decisionIn) (*body[Suspension], error) {
	what, err := in.decision()
	if err != nil {
		return nil, err
	}
	s, err := d.Rights.Suspend(ctx, by, what)
	if err != nil {
		return nil, err
	}
	return &body[Suspension]{suspensionOf(s)}, nil
}

func (d *door) restorePerson(ctx context.Context, by musa.Actor, in *decisionIn) (*struct{}, error) {
	what, err := in.decision()
	if err != nil {
		return nil, err
	}
	return nil, d.Rights.Restore(ctx, by, what)
}

func (d *door) erasePerson(ctx context.Context, by musa.Actor, in *decisionIn) (*body[ErasedPerson], error) {
	what, err := in.decision()
	if err != nil {
		return nil, err
	}
	if err := d.Accounts.Proved(ctx, by); err != nil {
		return nil, err
	}
	c, err := d.Rights.EraseSuspended(ctx, by, what)
	if err != nil {
		return nil, err
	}
	return &body[ErasedPerson]{ErasedPerson{Erased: timeOf(c.Erased), Receipt: string(c.Receipt), Capability: c.Capability}}, nil
}

// suspended tells a person of their suspension, with what it means.
func (d *door) suspended(ctx context.Context, by musa.Actor, out *Me) error {
	if !by.Suspended {
		return nil
	}
	s, is, err := d.Rights.Suspended(ctx, by)
	if err != nil || !is {
		return err
	}
	mine := suspensionOf(s)
	mine.Subject, mine.Words = "", musa.AccountSuspended.Public
	out.Suspended = &mine
	return nil
}
