package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/support"
)

type deskIn struct {
	State string `query:"state" enum:"open,answered,closed"`
	Kind  string `query:"kind" enum:"question,privacy,account,fault,child"`
	After string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type openThreadIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"2000" doc:"Why. It is entered, and its person is shown that the thread was opened."`
	}
}

type caseFromIn struct {
	ID   string `path:"id"`
	Body struct {
		Right string `json:"right" maxLength:"60" doc:"A right of the policy, such as access or erasure."`
	}
}

// EnteredCase is the request that a thread became.
type EnteredCase struct {
	Case string `json:"case"`
}

// helpers answer people, and see what the policy lets them.
func helpers() []musa.Role { return []musa.Role{musa.RoleSupport} }

// deciders see what waits, and decide about reported accounts.
func deciders() []musa.Role { return []musa.Role{musa.RoleSupport, musa.RoleOperator} }

func (d *door) supportDesk() {
	const path, one = staffPrefix + "support", staffPrefix + "support/{id}"
	huma.Register(d.api, huma.Operation{OperationID: "desk", Method: http.MethodGet, Path: path,
		Summary: "Everybody's threads, the oldest first, without what was said", Security: secured, Metadata: staffed(deciders)}, serveAs(d, deciders, d.desk))
	huma.Register(d.api, huma.Operation{OperationID: "desk-open", Method: http.MethodPost, Path: one + "/open",
		Summary: "Open a thread for a reason that is entered first", Security: secured, Metadata: staffed(helpers)}, serveAs(d, helpers, d.deskOpen))
	huma.Register(d.api, huma.Operation{OperationID: "desk-answer", Method: http.MethodPost, Path: one + "/messages",
		Summary: "Answer; a mail says that an answer waits", Security: secured, Metadata: staffed(helpers)}, serveAs(d, helpers, d.deskAnswer))
	huma.Register(d.api, huma.Operation{OperationID: "desk-close", Method: http.MethodPost, Path: one + "/close",
		Summary: "Close a thread", Security: secured, Metadata: staffed(helpers)}, serveAs(d, helpers, d.deskClose))
	huma.Register(d.api, huma.Operation{OperationID: "desk-case", Method: http.MethodPost, Path: one + "/case",
		Summary: "Enter a thread as a request about a right, with its deadline", DefaultStatus: http.StatusCreated, Security: secured, Metadata: staffed(helpers)}, serveAs(d, helpers, d.deskCase))
}

// staffThread is a thread as the staff see it: with whose it is.
func staffThread(t support.Thread) Thread {
	out := threadOf(t)
	out.Subject = string(t.Subject)
	return out
}

func (d *door) desk(ctx context.Context, by musa.Actor, in *deskIn) (*body[Threads], error) {
	list, err := d.Support.Desk(ctx, by, support.DeskQuery{State: musa.ThreadState(in.State), Kind: musa.ThreadKind(in.Kind), After: musa.ThreadID(in.After), Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &body[Threads]{threadsOf(list, in.Limit, staffThread)}, nil
}

func (d *door) deskOpen(ctx context.Context, by musa.Actor, in *openThreadIn) (*body[Thread], error) {
	return threadBy(in.ID, staffThread, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Open(ctx, by, id, in.Body.Reason) })
}

func (d *door) deskAnswer(ctx context.Context, by musa.Actor, in *wordsIn) (*body[Thread], error) {
	return threadBy(in.ID, staffThread, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Answer(ctx, by, id, in.Body.Words) })
}

func (d *door) deskClose(ctx context.Context, by musa.Actor, in *threadIn) (*body[Thread], error) {
	return threadBy(in.ID, staffThread, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Done(ctx, by, id) })
}

func (d *door) deskCase(ctx context.Context, by musa.Actor, in *caseFromIn) (*body[EnteredCase], error) {
	id, err := musa.ParseThreadID(in.ID)
	if err != nil {
		return nil, err
	}
	c, err := d.Support.Request(ctx, by, id, in.Body.Right)
	if err != nil {
		return nil, err
	}
	return &body[EnteredCase]{EnteredCase{string(c)}}, nil
}
