package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/account"
	"musa/retention"
)

// workspaceHeader names the workspace that a request is made for. A GET may name it as the
// query's `workspace`, too: pictures on a page are fetched without headers.
const workspaceHeader = "Musa-Workspace"

// Workspace is one that the person is a member of.
type Workspace struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Role     string   `json:"role" enum:"owner,admin,editor,viewer" doc:"Of the person who asks."`
	Since    Time     `json:"since"`
	Tier     string   `json:"tier"`
	Created  Time     `json:"created"`
	Members  int      `json:"members"`
	Credits  int64    `json:"credits"`
	Held     int64    `json:"held"`
	Closed   Time     `json:"closed,omitempty" doc:"Set once it is closed: DELETE /api/me/erasure with the header Musa-Workspace takes that back while there is time."`
	Enforced Enforced `json:"enforced"`

	Agreement bool `json:"agreement" doc:"There is a data-processing agreement to sign: GET /api/workspaces/{id}/agreement."`
}

// Enforced is what a workspace settles for all in it, and who did.
type Enforced struct {
	NoTraining bool     `json:"no_training" doc:"Nothing in it is used for training; nobody can agree to it."`
	Since      Time     `json:"no_training_since,omitempty"`
	Shortest   bool     `json:"shortest_retention" doc:"Things stay the shortest time that the policy offers."`
	Keep       string   `json:"keep,omitempty" doc:"That time."`
	Region     string   `json:"region"`
	Processors []string `json:"processors" doc:"The only partners that are sent anything; null for all of the policy's."`
	Unlogged   bool     `json:"interaction_log_off" doc:"Switched by PUT /api/me/log with the header Musa-Workspace."`
	May        []string `json:"may_enforce" doc:"What the policy lets a workspace settle."`
	SetBy      string   `json:"set_by,omitempty" doc:"The member who changed it last; empty once they left."`
	SetAt      Time     `json:"set_at,omitempty"`
}

// WorkspaceMember is somebody in a workspace.
type WorkspaceMember struct {
	Subject string `json:"subject"`
	Name    string `json:"name" doc:"As they want to be called there; may be empty."`
	Role    string `json:"role" enum:"owner,admin,editor,viewer"`
	Since   Time   `json:"since"`
}

// Invitation is an open one.
type Invitation struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Role    string `json:"role"`
	Created Time   `json:"created"`
	Expires Time   `json:"expires"`
}

type (
	workspaceList struct {
		Workspaces []Workspace `json:"workspaces"`
	}
	memberList struct {
		Members []WorkspaceMember `json:"members"`
	}
	invitationList struct {
		Invitations []Invitation `json:"invitations"`
	}
	// WorkspaceIn names one.
	WorkspaceIn struct {
		ID string `path:"id"`
	}
	agreementIn struct {
		WorkspaceIn
		Tongue
	}
	foundIn struct {
		Body struct {
			Name string `json:"name" minLength:"1" maxLength:"200"`
		}
	}
	workspacePatchIn struct {
		ID   string `path:"id"`
		Body struct {
			Name     *string `json:"name,omitempty" minLength:"1" maxLength:"200"`
			Enforced *struct {
				NoTraining *bool     `json:"no_training,omitempty"`
				Shortest   *bool     `json:"shortest_retention,omitempty"`
				Region     *string   `json:"region,omitempty" maxLength:"64"`
				Processors *[]string `json:"processors,omitempty" maxItems:"100" doc:"Empty: all of the policy's. none alone: none."`
			} `json:"enforced,omitempty"`
		}
	}
	memberIn struct {
		ID      string `path:"id"`
		Subject string `path:"subject"`
	}
	memberPatchIn struct {
		ID      string `path:"id"`
		Subject string `path:"subject"`
		Body    struct {
			Role string `json:"role" enum:"owner,admin,editor,viewer"`
		}
	}
	inviteIn struct {
		ID   string `path:"id"`
		Body struct {
			Email string `json:"email" maxLength:"1016"`
			Role  string `json:"role" enum:"owner,admin,editor,viewer"`
		}
	}
	invitationIn struct {
		ID         string `path:"id"`
		Invitation string `path:"invitation"`
	}
	acceptIn struct {
		Body struct {
			Secret string `json:"secret" maxLength:"200"`
			Name   string `json:"name,omitempty" maxLength:"200" doc:"What the others there call you."`
		}
	}
)

func (d *door) workspaces() {
	const path = "/api/workspaces"
	huma.Register(d.api, huma.Operation{OperationID: "list-workspaces", Method: http.MethodGet, Path: path,
		Summary: "The workspaces that you are a member of", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.listWorkspaces))
	huma.Register(d.api, huma.Operation{OperationID: "found-workspace", Method: http.MethodPost, Path: path,
		Summary: "Found a workspace; you own it", DefaultStatus: http.StatusCreated, Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.foundWorkspace))
	huma.Register(d.api, huma.Operation{OperationID: "get-workspace", Method: http.MethodGet, Path: path + "/{id}",
		Summary: "One workspace, and what it enforces", Security: secured, Metadata: inside(musa.ActSee)}, serve(d, d.getWorkspace))
	huma.Register(d.api, huma.Operation{OperationID: "change-workspace", Method: http.MethodPatch, Path: path + "/{id}",
		Summary: "Rename it, or settle something for all in it", Security: secured, Metadata: inside(musa.ActGovern)}, serve(d, d.changeWorkspace))
	huma.Register(d.api, huma.Operation{OperationID: "close-workspace", Method: http.MethodDelete, Path: path + "/{id}",
		Summary: "Close it and erase all that is in it", DefaultStatus: http.StatusAccepted, Security: secured, Metadata: inside(musa.ActOwn)}, serve(d, d.closeWorkspace))
	huma.Register(d.api, huma.Operation{OperationID: "workspace-agreement", Method: http.MethodGet, Path: path + "/{id}/agreement",
		Summary: "The data-processing agreement (GDPR art. 28) with an organisation, as a Markdown file from the policy in force", Security: secured, Metadata: inside(musa.ActGovern),
		Responses: map[string]*huma.Response{"200": {Description: "The document",
			Content: map[string]*huma.MediaType{"text/markdown": {Schema: &huma.Schema{Type: "string"}}}}}}, serve(d, d.workspaceAgreement))
	huma.Register(d.api, huma.Operation{OperationID: "list-members", Method: http.MethodGet, Path: path + "/{id}/members",
		Summary: "Who is in it", Security: secured, Metadata: inside(musa.ActSee)}, serve(d, d.listMembers))
	huma.Register(d.api, huma.Operation{OperationID: "change-member", Method: http.MethodPatch, Path: path + "/{id}/members/{subject}",
		Summary: "Give a member another role", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: inside(musa.ActGovern)}, serve(d, d.changeMember))
	huma.Register(d.api, huma.Operation{OperationID: "remove-member", Method: http.MethodDelete, Path: path + "/{id}/members/{subject}",
		Summary: "Leave, or remove somebody; what they made stays the workspace's", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: inside(musa.ActSee)}, serve(d, d.removeMember))
	huma.Register(d.api, huma.Operation{OperationID: "list-invitations", Method: http.MethodGet, Path: path + "/{id}/invitations",
		Summary: "Open invitations", Security: secured, Metadata: inside(musa.ActGovern)}, serve(d, d.listInvitations))
	huma.Register(d.api, huma.Operation{OperationID: "invite-member", Method: http.MethodPost, Path: path + "/{id}/invitations",
		Summary: "Invite the holder of an address, by mail", DefaultStatus: http.StatusAccepted, Security: secured, Metadata: inside(musa.ActGovern)}, serve(d, d.inviteMember))
	huma.Register(d.api, huma.Operation{OperationID: "withdraw-invitation", Method: http.MethodDelete, Path: path + "/{id}/invitations/{invitation}",
		Summary: "Withdraw an invitation", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: inside(musa.ActGovern)}, serve(d, d.withdrawInvitation))
	huma.Register(d.api, huma.Operation{OperationID: "accept-invitation", Method: http.MethodPost, Path: "/api/invitations/accept",
		Summary: "Join the workspace that invited your confirmed address", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.acceptInvitation))
}

// enter makes a person who asks for a workspace its member: by the path of a route that is about
// one, by the header, or by a GET's query. To all but its members there is none: 404.
func (d *door) enter(r *http.Request, by musa.Actor) (musa.Actor, error) {
	named := r.Header.Get(workspaceHeader)
	if named == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		named = r.URL.Query().Get("workspace")
	}
	if rule, _ := d.ruleFor(r); rule.Inside {
		if named != "" {
			return musa.Actor{}, noWorkspace() // there are none in a workspace
		}
		named, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/workspaces/"), "/")
	}
	if named == "" {
		return by, nil
	}
	id, err := musa.ParseSubjectID(named)
	if err != nil {
		return musa.Actor{}, noWorkspace()
	}
	return d.Accounts.Enter(r.Context(), by, id)
}

func noWorkspace() error {
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "workspace_unknown", Public: "There is no such workspace of yours."}
}

func (d *door) workspaceOf(w account.Workspace) Workspace {
	p := w.Privacy
	out := Workspace{ID: string(w.ID), Name: w.Name, Role: string(w.Role), Since: timeOf(w.Since), Tier: string(w.Tier), Created: timeOf(w.Created),
		Members: w.Members, Credits: w.Credits, Held: w.Held, Closed: timeOf(w.Closed),
		Enforced: Enforced{NoTraining: p.NoTraining > 0, Since: timeOf(p.NoTraining), Shortest: p.Keep > 0, Region: p.Region, Processors: p.Processors,
			Unlogged: p.Unlogged > 0, May: p.Enforcable, SetBy: string(p.SetBy), SetAt: timeOf(p.SetAt)},
		Agreement: d.Policy().Organisation.Agreement != ""}
	if p.Keep > 0 {
		out.Enforced.Keep = d.spanOf(p.Keep)
	}
	return out
}

// spanOf is a time as the policy writes it where it offers it, as everywhere else in the API.
func (d *door) spanOf(keep time.Duration) string {
	for _, r := range d.Policy().Retention {
		for _, c := range r.Choices {
			if c.Duration() == keep {
				return c.String()
			}
		}
	}
	return keep.Round(time.Second).String()
}

func (d *door) listWorkspaces(ctx context.Context, by musa.Actor, _ *struct{}) (*body[workspaceList], error) {
	list, err := d.Accounts.Workspaces(ctx, by)
	if err != nil {
		return nil, err
	}
	out := workspaceList{Workspaces: []Workspace{}}
	for _, w := range list {
		out.Workspaces = append(out.Workspaces, d.workspaceOf(w))
	}
	return &body[workspaceList]{out}, nil
}

func (d *door) foundWorkspace(ctx context.Context, by musa.Actor, in *foundIn) (*body[Workspace], error) {
	w, err := d.Accounts.Found(ctx, by, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &body[Workspace]{d.workspaceOf(w)}, nil
}

func (d *door) getWorkspace(ctx context.Context, ws musa.Actor, _ *WorkspaceIn) (*body[Workspace], error) {
	w, err := d.Accounts.Workspace(ctx, ws)
	if err != nil {
		return nil, err
	}
	return &body[Workspace]{d.workspaceOf(w)}, nil
}

// changeWorkspace changes all that is asked for, or nothing: what may be refused is looked at before
// anything is settled, and what looks at itself comes first.
func (d *door) changeWorkspace(ctx context.Context, ws musa.Actor, in *workspacePatchIn) (*body[Workspace], error) {
	wish, shortest := account.PrivacyWish{}, (*bool)(nil)
	if e := in.Body.Enforced; e != nil {
		wish, shortest = account.PrivacyWish{NoTraining: e.NoTraining, Region: e.Region, Processors: e.Processors}, e.Shortest
	}
	if err := d.Accounts.Changeable(ws, in.Body.Name, wish); err != nil {
		return nil, err
	}
	if shortest != nil {
		keep := retention.Free
		if *shortest {
			keep = retention.Enforced
		}
		if err := d.Keeper.Shortest(ctx, ws, keep); err != nil {
			return nil, err
		}
	}
	if in.Body.Name != nil {
		if err := d.Accounts.Rename(ctx, ws, *in.Body.Name); err != nil {
			return nil, err
		}
	}
	if in.Body.Enforced != nil {
		if err := d.Accounts.Enforce(ctx, ws, wish); err != nil {
			return nil, err
		}
	}
	return d.getWorkspace(ctx, ws, nil)
}

// closeWorkspace erases it like an account: with the policy's time to think again, and a receipt.
func (d *door) closeWorkspace(ctx context.Context, ws musa.Actor, _ *WorkspaceIn) (*body[Closing], error) {
	return d.closeAccount(ctx, ws, nil)
}

// workspaceAgreement is the agreement that an organisation signs. Policy organisation.agreement.
func (d *door) workspaceAgreement(_ context.Context, _ musa.Actor, in *agreementIn) (*fileOut, error) {
	doc := d.Policy()
	if doc.Organisation.Agreement == "" {
		return nil, &musa.Problem{Kind: musa.ErrNotFound, Code: "agreement_none", Public: "This studio's policy offers no agreement to organisations (organisation.agreement)."}
	}
	return d.paperFile(agreementPaper, in.tag()), nil
}

func (d *door) listMembers(ctx context.Context, ws musa.Actor, _ *WorkspaceIn) (*body[memberList], error) {
	list, err := d.Accounts.Members(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := memberList{Members: []WorkspaceMember{}}
	for _, m := range list {
		out.Members = append(out.Members, WorkspaceMember{Subject: string(m.Subject), Name: m.Name, Role: string(m.Role), Since: timeOf(m.Since)})
	}
	return &body[memberList]{out}, nil
}

func (d *door) changeMember(ctx context.Context, ws musa.Actor, in *memberPatchIn) (*struct{}, error) {
	id, err := musa.ParseSubjectID(in.Subject)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.SetMember(ctx, ws, id, musa.MemberRole(in.Body.Role))
}

func (d *door) removeMember(ctx context.Context, ws musa.Actor, in *memberIn) (*struct{}, error) {
	id, err := musa.ParseSubjectID(in.Subject)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.RemoveMember(ctx, ws, id)
}

func (d *door) listInvitations(ctx context.Context, ws musa.Actor, _ *WorkspaceIn) (*body[invitationList], error) {
	list, err := d.Accounts.Invitations(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := invitationList{Invitations: []Invitation{}}
	for _, i := range list {
		out.Invitations = append(out.Invitations, invitationOf(i))
	}
	return &body[invitationList]{out}, nil
}

func invitationOf(i account.Invitation) Invitation {
	return Invitation{ID: string(i.ID), Email: i.Email, Role: string(i.Role), Created: timeOf(i.Created), Expires: timeOf(i.Expires)}
}

func (d *door) inviteMember(ctx context.Context, ws musa.Actor, in *inviteIn) (*body[Invitation], error) {
	i, err := d.Accounts.Invite(ctx, ws, in.Body.Email, musa.MemberRole(in.Body.Role))
	if err != nil {
		return nil, err
	}
	return &body[Invitation]{invitationOf(i)}, nil
}

func (d *door) withdrawInvitation(ctx context.Context, ws musa.Actor, in *invitationIn) (*struct{}, error) {
	id, err := musa.ParseVoucherID(in.Invitation)
	if err != nil {
		return nil, err
	}
	return nil, d.Accounts.Withdraw(ctx, ws, id)
}

func (d *door) acceptInvitation(ctx context.Context, by musa.Actor, in *acceptIn) (*body[Workspace], error) {
	w, err := d.Accounts.Accept(ctx, by, visitor(ctx), in.Body.Secret, in.Body.Name)
	if err != nil {
		return nil, err
	}
	return &body[Workspace]{d.workspaceOf(w)}, nil
}
