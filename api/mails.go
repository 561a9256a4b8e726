package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/notice"
)

// Outbox is a page of mails, without addresses and words.
type Outbox struct {
	Mails []QueuedMail `json:"mails"`
}

// QueuedMail is one of them.
type QueuedMail struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	State   string `json:"state" enum:"waiting,sending,sent,failed,unsure" doc:"unsure: the other side may have it, so it is not sent again by itself."`
	Created Time   `json:"created"`
	Next    Time   `json:"next,omitempty" doc:"While it waits: when it is tried."`
	Tries   int64  `json:"tries"`
	Sent    Time   `json:"sent,omitempty"`
	Code    string `json:"code,omitempty" doc:"Why the last try did not do: the answer's number, or a word."`
}

type outboxIn struct {
	State string `query:"state" enum:"waiting,sending,sent,failed,unsure"`
	After string `query:"after" pattern:"^[a-z]{2}_[0-9a-z]{26}$" doc:"The last id of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type mailIn struct {
	ID string `path:"id"`
}

type announceIn struct {
	Body struct {
		Kind  string               `json:"kind" maxLength:"60"`
		Words map[string]NewsWords `json:"words" doc:"By language: en, de."`
	}
}

// NewsWords is news in one language.
type NewsWords struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// Announced is news that go out now.
type Announced struct {
	ID string `json:"id"`
}

func (d *door) mails() {
	huma.Register(d.api, huma.Operation{OperationID: "list-outbox", Method: http.MethodGet, Path: "/api/admin/mails",
		Summary: "Mails that wait, went out, failed, or may have arrived", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.outbox))
	huma.Register(d.api, huma.Operation{OperationID: "send-again", Method: http.MethodPost, Path: "/api/admin/mails/{id}/again", DefaultStatus: http.StatusNoContent,
		Summary: "Send a mail once more that failed or is unsure", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.sendAgain))
	huma.Register(d.api, huma.Operation{OperationID: "announce", Method: http.MethodPost, Path: "/api/admin/news", DefaultStatus: http.StatusCreated,
		Summary: "Tell everybody who asked for a kind of news", Security: secured, Metadata: staffed(operators)}, serveAs(d, operators, d.announce))
}

func (d *door) outbox(ctx context.Context, by musa.Actor, in *outboxIn) (*body[Outbox], error) {
	list, err := d.Notices.Queue(ctx, by, musa.MailState(in.State), musa.MailID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	out := Outbox{Mails: []QueuedMail{}}
	for _, m := range list {
		q := QueuedMail{ID: string(m.ID), Kind: m.Kind, State: string(m.State), Created: timeOf(m.Created), Tries: m.Tries, Sent: timeOf(m.Sent), Code: m.Code}
		if m.State == musa.MailWaiting {
			q.Next = timeOf(m.Next)
		}
		out.Mails = append(out.Mails, q)
	}
	return &body[Outbox]{out}, nil
}

func (d *door) sendAgain(ctx context.Context, by musa.Actor, in *mailIn) (*struct{}, error) {
	id, err := musa.ParseMailID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, d.Notices.Again(ctx, by, id)
}

func (d *door) announce(ctx context.Context, by musa.Actor, in *announceIn) (*body[Announced], error) {
	words := map[string]notice.Words{}
	for tag, w := range in.Body.Words {
		words[tag] = notice.Words(w)
	}
	id, err := d.Notices.Announce(ctx, by, in.Body.Kind, words)
	return &body[Announced]{Announced{string(id)}}, err
}
