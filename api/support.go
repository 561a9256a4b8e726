package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/lang"
	"musa/support"
)

// Contact is whom people can ask about their data, from the policy.
type Contact struct {
	Name    string   `json:"name"`
	Contact string   `json:"contact"`
	Country string   `json:"country"`
	Site    string   `json:"site,omitempty"`
	Kinds   []string `json:"kinds" doc:"What a thread can be about."`
	Here    string   `json:"here" doc:"Where to write without an account."`
}

// Thread is a conversation with support.
type Thread struct {
	ID       string          `json:"id"`
	Kind     string          `json:"kind" enum:"question,privacy,account,fault,child"`
	State    string          `json:"state" enum:"open,answered,closed"`
	Created  Time            `json:"created"`
	Updated  Time            `json:"updated"`
	Unread   string          `json:"unread" enum:"person,staff,nobody" doc:"Who has something new to read."`
	Object   string          `json:"object,omitempty" doc:"The job, picture or request that it is about."`
	Case     string          `json:"case,omitempty" doc:"The request that it was entered as."`
	Ends     Time            `json:"ends" doc:"When it goes; null when it goes with the account."`
	EndsRule string          `json:"ends_rule" doc:"The line of the policy that says so."`
	Category string          `json:"category" doc:"The policy's kind of data that it is."`
	Email    string          `json:"email,omitempty" doc:"Where answers go, of somebody without an account."`
	Messages []Message       `json:"messages,omitempty"`
	Report   *support.Report `json:"report,omitempty"`
	Subject  string          `json:"subject,omitempty" doc:"Whose it is; for the staff."`
	Token    string          `json:"token,omitempty" doc:"Shown once, to who wrote without a session: with it the answer can be read here."`
}

// Message is one thing that was said in a thread.
type Message struct {
	At    Time   `json:"at"`
	From  string `json:"from" enum:"person,staff"`
	Words string `json:"words"`
	// Entered stands in place of words.
	Entered string `json:"entered,omitempty" doc:"The right that the thread was entered as a request about; then there are no words."`
}

// Threads is one page of threads, without what was said.
type Threads struct {
	Threads []Thread `json:"threads"`
	Next    string   `json:"next,omitempty" doc:"Pass as after for the next page."`
}

// OpenedThread is what the link in a mail leads to.
type OpenedThread struct {
	Token   string `json:"token" doc:"Shown once. Send it as Authorization: Bearer."`
	Subject string `json:"subject"`
	Thread  string `json:"thread"`
	Expires Time   `json:"expires"`
}

type letterIn struct {
	Language string `header:"Accept-Language" doc:"The mail about the answer comes in it, to somebody without an account."`
	Body     struct {
		Kind   string `json:"kind,omitempty" enum:"question,privacy,account,fault,child" default:"question"`
		Words  string `json:"words" maxLength:"8000"`
		Email  string `json:"email,omitempty" maxLength:"1000" doc:"Where the answer goes, of somebody without an account."`
		Object string `json:"object,omitempty" maxLength:"64" doc:"A job or a picture of yours that it is about."`
	}
}

type threadIn struct {
	ID string `path:"id"`
}

type threadsIn struct {
	After string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type wordsIn struct {
	ID   string `path:"id"`
	Body struct {
		Words string `json:"words" maxLength:"8000"`
	}
}

type answerLinkIn struct {
	Body struct {
		Secret string `json:"secret" maxLength:"200"`
	}
}

func (d *door) support() {
	const path, one = "/api/support", "/api/support/{id}"
	huma.Register(d.api, huma.Operation{OperationID: "contact", Method: http.MethodGet, Path: "/api/contact",
		Summary: "Whom to ask about your data", Metadata: open}, d.contact)
	huma.Register(d.api, huma.Operation{OperationID: "write-support", Method: http.MethodPost, Path: path,
		Summary: "Write to support, with or without an account", DefaultStatus: http.StatusCreated, Metadata: mayToo(musa.ActAsk)}, d.writeSupport)
	huma.Register(d.api, huma.Operation{OperationID: "open-answer", Method: http.MethodPost, Path: path + "/open",
		Summary: "Read an answer without an account, by the link in the mail", Metadata: open}, d.openAnswer)
	huma.Register(d.api, huma.Operation{OperationID: "list-threads", Method: http.MethodGet, Path: path,
		Summary: "Your threads with support, newest first", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.listThreads))
	huma.Register(d.api, huma.Operation{OperationID: "get-thread", Method: http.MethodGet, Path: one,
		Summary: "One thread, with all that was said", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.getThread))
	huma.Register(d.api, huma.Operation{OperationID: "say", Method: http.MethodPost, Path: one + "/messages",
		Summary: "Say something in a thread", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.say))
	huma.Register(d.api, huma.Operation{OperationID: "close-thread", Method: http.MethodPost, Path: one + "/close",
		Summary: "Close a thread; it can be taken up again", Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.closeThread))
	huma.Register(d.api, huma.Operation{OperationID: "erase-thread", Method: http.MethodDelete, Path: one,
		Summary: "Erase a thread now, with all that was said", DefaultStatus: http.StatusNoContent, Security: secured, Metadata: may(musa.ActAsk)}, serve(d, d.eraseThread))
	d.supportDesk()
}

func threadOf(t support.Thread) Thread {
	out := Thread{ID: string(t.ID), Kind: string(t.Kind), State: string(t.State), Created: timeOf(t.Created), Updated: timeOf(t.Updated),
		Unread: t.Unread, Object: t.Object, Case: string(t.Case), Ends: timeOf(t.Ends), EndsRule: t.Rule, Category: string(musa.CategorySupport), Email: t.Email, Report: t.Report}
	for _, m := range t.Messages {
		out.Messages = append(out.Messages, Message{At: timeOf(m.At), From: m.From, Words: m.Words, Entered: m.Entered})
	}
	return out
}

func threadsOf(list []support.Thread, limit int, each func(support.Thread) Thread) Threads {
	out := Threads{Threads: []Thread{}}
	for _, t := range list {
		out.Threads = append(out.Threads, each(t))
	}
	if len(list) == limit {
		out.Next = string(list[len(list)-1].ID)
	}
	return out
}

func (d *door) contact(context.Context, *struct{}) (*body[Contact], error) {
	c := d.Support.Contact()
	out := Contact{Name: c.Name, Contact: c.Address, Country: c.Country, Site: c.Site, Kinds: []string{}, Here: "POST /api/support"}
	for _, k := range support.Kinds() {
		out.Kinds = append(out.Kinds, string(k))
	}
	return &body[Contact]{out}, nil
}

// writeSupport takes a letter of anybody. A session that ended is no reason to turn somebody
// away: then they write as a stranger.
func (d *door) writeSupport(ctx context.Context, in *letterIn) (*body[Thread], error) {
	l := support.Letter{Kind: musa.ThreadKind(in.Body.Kind), Words: in.Body.Words, Email: in.Body.Email, Object: in.Body.Object,
		Language: lang.Match("", in.Language).Tag()}
	by, err := actor(ctx)
	if err == nil {
		t, err := d.Support.Write(ctx, by, l)
		if err != nil {
			return nil, d.judge(ctx, err)
		}
		return &body[Thread]{threadOf(t)}, nil
	}
	if !errors.Is(err, musa.ErrUnauthorized) {
		return nil, d.judge(ctx, err)
	}
	s, err := d.Support.WriteAs(ctx, visitor(ctx).Network(), l)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	out := threadOf(s.Thread)
	out.Token = s.Token
	return &body[Thread]{out}, nil
}

func (d *door) openAnswer(ctx context.Context, in *answerLinkIn) (*body[OpenedThread], error) {
	g, id, err := d.Accounts.OpenAnswer(ctx, visitor(ctx), in.Body.Secret)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	// No cookie: it would take the place of a session that opens more.
	return &body[OpenedThread]{OpenedThread{Token: g.Token, Subject: string(g.Subject), Thread: string(id), Expires: timeOf(g.Expires)}}, nil
}

func (d *door) listThreads(ctx context.Context, by musa.Actor, in *threadsIn) (*body[Threads], error) {
	list, err := d.Support.Threads(ctx, by, musa.ThreadID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	return &body[Threads]{threadsOf(list, in.Limit, threadOf)}, nil
}

// threadBy runs a use case on the thread that a path names, and shows it to whom it is for.
func threadBy(path string, show func(support.Thread) Thread, f func(musa.ThreadID) (support.Thread, error)) (*body[Thread], error) {
	id, err := musa.ParseThreadID(path)
	if err != nil {
		return nil, err
	}
	t, err := f(id)
	if err != nil {
		return nil, err
	}
	return &body[Thread]{show(t)}, nil
}

func (d *door) getThread(ctx context.Context, by musa.Actor, in *threadIn) (*body[Thread], error) {
	return threadBy(in.ID, threadOf, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Thread(ctx, by, id) })
}

func (d *door) say(ctx context.Context, by musa.Actor, in *wordsIn) (*body[Thread], error) {
	return threadBy(in.ID, threadOf, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Say(ctx, by, id, in.Body.Words) })
}

func (d *door) closeThread(ctx context.Context, by musa.Actor, in *threadIn) (*body[Thread], error) {
	return threadBy(in.ID, threadOf, func(id musa.ThreadID) (support.Thread, error) { return d.Support.Close(ctx, by, id) })
}

func (d *door) eraseThread(ctx context.Context, by musa.Actor, in *threadIn) (*struct{}, error) {
	id, err := musa.ParseThreadID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Support.Drop(ctx, by, id)
}
