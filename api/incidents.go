package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/support"
)

// Incident is a breach of personal data with its clock, as the staff see it.
type Incident struct {
	ID            string         `json:"id"`
	Aware         Time           `json:"aware"`
	Due           Time           `json:"due" doc:"When the authority has to know."`
	Overdue       bool           `json:"overdue"`
	AuthorityTold Time           `json:"authority_told"`
	PeopleTold    Time           `json:"people_told"`
	Ended         Time           `json:"ended"`
	Affected      int            `json:"affected"`
	Told          int            `json:"told"`
	What          string         `json:"what,omitempty"`
	Consequences  string         `json:"consequences,omitempty"`
	Measures      string         `json:"measures,omitempty"`
	Notice        string         `json:"notice,omitempty" doc:"What people are told."`
	Notes         []IncidentNote `json:"notes,omitempty"`
}

// IncidentNote is one line of an incident's history.
type IncidentNote struct {
	At    Time   `json:"at"`
	By    string `json:"by"`
	Words string `json:"words"`
}

// Incidents lists incidents, those first whose authority has to be told first.
type Incidents struct {
	Incidents []Incident `json:"incidents"`
}

// MyIncident is an incident as somebody sees it whom it concerns.
type MyIncident struct {
	ID    string `json:"id"`
	Aware Time   `json:"aware"`
	Ended Time   `json:"ended"`
	Words string `json:"words"`
}

// MyIncidents is what a person was told.
type MyIncidents struct {
	Incidents []MyIncident `json:"incidents"`
}

type incidentIn struct {
	Body struct {
		Aware        time.Time `json:"aware,omitempty" required:"false" doc:"When you learnt of it; now if left out."`
		What         string    `json:"what" maxLength:"8000" doc:"What happened: nature, categories, about how many people and records."`
		Consequences string    `json:"consequences,omitempty" maxLength:"8000"`
		Measures     string    `json:"measures,omitempty" maxLength:"8000"`
		Notice       string    `json:"notice,omitempty" maxLength:"8000" doc:"What people are told, in plain words."`
	}
}

type amendIn struct {
	ID   string `path:"id"`
	Body struct {
		What         string `json:"what" maxLength:"8000"`
		Consequences string `json:"consequences,omitempty" maxLength:"8000"`
		Measures     string `json:"measures,omitempty" maxLength:"8000"`
		Notice       string `json:"notice,omitempty" maxLength:"8000" doc:"What people are told; it stays once they were."`
		Note         string `json:"note" maxLength:"2000" doc:"Why it changes, for the register."`
	}
}

type incidentPath struct {
	ID string `path:"id"`
}

type affectedIn struct {
	ID   string `path:"id"`
	Body struct {
		All      bool     `json:"all,omitempty"`
		Subjects []string `json:"subjects,omitempty" maxItems:"10000"`
	}
}

type incidentNoteIn struct {
	ID   string `path:"id"`
	Body struct {
		Note string `json:"note" maxLength:"2000"`
	}
}

func (d *door) incidents() {
	const path, one = staffPrefix + "incidents", staffPrefix + "incidents/{id}"
	huma.Register(d.api, huma.Operation{OperationID: "my-incidents", Method: http.MethodGet, Path: "/api/me/incidents",
		Summary: "Incidents that concern your data", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.myIncidents))
	huma.Register(d.api, huma.Operation{OperationID: "list-incidents", Method: http.MethodGet, Path: path,
		Summary: "The register of incidents; whose authority has to be told comes first", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.listIncidents))
	huma.Register(d.api, huma.Operation{OperationID: "open-incident", Method: http.MethodPost, Path: path,
		Summary: "Enter an incident; its clock runs from when you learnt of it", DefaultStatus: http.StatusCreated, Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.openIncident))
	huma.Register(d.api, huma.Operation{OperationID: "get-incident", Method: http.MethodGet, Path: one,
		Summary: "One incident with what happened; reading it is entered", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.getIncident))
	huma.Register(d.api, huma.Operation{OperationID: "amend-incident", Method: http.MethodPut, Path: one,
		Summary: "Change what is known of an incident", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.amend))
	huma.Register(d.api, huma.Operation{OperationID: "affect", Method: http.MethodPost, Path: one + "/affected",
		Summary: "Say whom it concerns", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.affect))
	huma.Register(d.api, huma.Operation{OperationID: "tell-people", Method: http.MethodPost, Path: one + "/tell",
		Summary: "Have those told whom it concerns, by mail and on their page", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.tellPeople))
	huma.Register(d.api, huma.Operation{OperationID: "tell-authority", Method: http.MethodPost, Path: one + "/authority",
		Summary: "Note that the authority was told", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.tellAuthority))
	huma.Register(d.api, huma.Operation{OperationID: "end-incident", Method: http.MethodPost, Path: one + "/end",
		Summary: "Note that nothing is left to do", Security: secured, Metadata: staffed(overseers)}, serveAs(d, overseers, d.endIncident))
}

func incidentOf(i support.Incident) Incident {
	out := Incident{ID: string(i.ID), Aware: timeOf(i.Aware), Due: timeOf(i.Due), Overdue: i.Overdue, AuthorityTold: timeOf(i.AuthorityTold),
		PeopleTold: timeOf(i.PeopleTold), Ended: timeOf(i.Ended), Affected: i.Affected, Told: i.Told,
		What: i.What, Consequences: i.Consequences, Measures: i.Measures, Notice: i.Notice}
	for _, n := range i.Notes {
		out.Notes = append(out.Notes, IncidentNote{At: timeOf(n.At), By: string(n.By), Words: n.Words})
	}
	return out
}

// incidentBy runs a use case on the incident that a path names.
func incidentBy(path string, f func(musa.CaseID) (support.Incident, error)) (*body[Incident], error) {
	id, err := musa.ParseCaseID(path)
	if err != nil {
		return nil, err
	}
	i, err := f(id)
	if err != nil {
		return nil, err
	}
	return &body[Incident]{incidentOf(i)}, nil
}

func (d *door) myIncidents(ctx context.Context, by musa.Actor, _ *struct{}) (*body[MyIncidents], error) {
	list, err := d.Support.IncidentsOf(ctx, by)
	if err != nil {
		return nil, err
	}
	out := MyIncidents{Incidents: []MyIncident{}}
	for _, i := range list {
		out.Incidents = append(out.Incidents, MyIncident{ID: string(i.ID), Aware: timeOf(i.Aware), Ended: timeOf(i.Ended), Words: i.Notice})
	}
	return &body[MyIncidents]{out}, nil
}

// mostIncidents is how many the register shows; those that wait come first.
const mostIncidents = 500

func (d *door) listIncidents(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Incidents], error) {
	list, err := d.Support.Incidents(ctx, by, mostIncidents)
	if err != nil {
		return nil, err
	}
	out := Incidents{Incidents: []Incident{}}
	for _, i := range list {
		out.Incidents = append(out.Incidents, incidentOf(i))
	}
	return &body[Incidents]{out}, nil
}

func (d *door) openIncident(ctx context.Context, by musa.Actor, in *incidentIn) (*body[Incident], error) {
	b := in.Body
	var aware musa.Millis
	if !b.Aware.IsZero() {
		aware = musa.At(b.Aware)
	}
	i, err := d.Support.OpenIncident(ctx, by, aware, support.Breach{What: b.What, Consequences: b.Consequences, Measures: b.Measures, Notice: b.Notice})
	if err != nil {
		return nil, err
	}
	return &body[Incident]{incidentOf(i)}, nil
}

func (d *door) getIncident(ctx context.Context, by musa.Actor, in *incidentPath) (*body[Incident], error) {
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) { return d.Support.Incident(ctx, by, id) })
}

func (d *door) amend(ctx context.Context, by musa.Actor, in *amendIn) (*body[Incident], error) {
	b := in.Body
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) {
		return d.Support.Amend(ctx, by, id, support.Breach{What: b.What, Consequences: b.Consequences, Measures: b.Measures, Notice: b.Notice}, b.Note)
	})
}

func (d *door) affect(ctx context.Context, by musa.Actor, in *affectedIn) (*body[Incident], error) {
	w := support.Whom{All: in.Body.All}
	for _, raw := range in.Body.Subjects {
		id, err := musa.ParseSubjectID(raw)
		if err != nil {
			return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "subject_unknown", Field: "subjects", Public: "Name people by their ids: su_ and 26 characters."}
		}
		w.Subjects = append(w.Subjects, id)
	}
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) { return d.Support.Affect(ctx, by, id, w) })
}

func (d *door) tellPeople(ctx context.Context, by musa.Actor, in *incidentPath) (*body[Incident], error) {
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) { return d.Support.TellPeople(ctx, by, id) })
}

func (d *door) tellAuthority(ctx context.Context, by musa.Actor, in *incidentNoteIn) (*body[Incident], error) {
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) {
		return d.Support.TellAuthority(ctx, by, id, in.Body.Note)
	})
}

func (d *door) endIncident(ctx context.Context, by musa.Actor, in *incidentNoteIn) (*body[Incident], error) {
	return incidentBy(in.ID, func(id musa.CaseID) (support.Incident, error) {
		return d.Support.EndIncident(ctx, by, id, in.Body.Note)
	})
}
