package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/consent"
	"musa/notice"
)

// Mails is what comes to a person, and by which way.
type Mails struct {
	Sends bool       `json:"sends" doc:"This studio has a mail server."`
	Kinds []MailKind `json:"kinds"`
}

// MailKind is one kind of news.
type MailKind struct {
	Kind   string `json:"kind"`
	Exempt bool   `json:"exempt" doc:"It belongs to the service itself and cannot be switched off."`
	Mail   string `json:"mail" enum:"yes,no,asked,always" doc:"asked: a mail waits for your answer, and nothing comes before."`
	Page   string `json:"page" enum:"yes,no,always"`
}

type mailsIn struct {
	Signal string `header:"Sec-GPC"`
	Body   struct {
		Kinds map[string]Channels `json:"kinds" minProperties:"1" doc:"By kind, what is to change."`
	}
}

// Channels is what somebody says about a kind.
type Channels struct {
	Mail string `json:"mail,omitempty" enum:"yes,no"`
	Page string `json:"page,omitempty" enum:"yes,no"`
}

type listSecretIn struct {
	Body struct {
		Secret string `json:"secret" maxLength:"200"`
	}
}

// ListAnswer is the kind that a link was about.
type ListAnswer struct {
	Kind string `json:"kind"`
}

// NewsItem is news on a page.
type NewsItem struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	At      Time   `json:"at"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// NewsList is what everybody may read, and what a person asked to see.
type NewsList struct {
	News []NewsItem `json:"news"`
}

type newsIn struct {
	Language string `query:"language" maxLength:"20"`
	Accept   string `header:"Accept-Language"`
}

// How often a person may have their own address asked.
const (
	asksMost = 6
	asksPer  = 24 * time.Hour
)

func (d *door) lists() {
	huma.Register(d.api, huma.Operation{OperationID: "my-mails", Method: http.MethodGet, Path: "/api/me/mails",
		Summary: "Which kinds of news come, by mail and on pages", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.myMails))
	huma.Register(d.api, huma.Operation{OperationID: "choose-mails", Method: http.MethodPut, Path: "/api/me/mails",
		Summary: "Choose them; a no counts at once, a yes to mails when your address answered", Security: secured, Metadata: may(musa.ActSelf)}, serve(d, d.chooseMails))
	huma.Register(d.api, huma.Operation{OperationID: "news", Method: http.MethodGet, Path: "/api/news",
		Summary: "What the service had to say in the last twelve months, and the news that you asked to see", Metadata: mayToo(musa.ActSelf)}, d.news)
	huma.Register(d.api, huma.Operation{OperationID: "confirm-list", Method: http.MethodPost, Path: "/api/lists/confirm",
		Summary: "The answer of an address: the kind is mailed from now on", Metadata: open}, d.confirmList)
	d.raw("POST /api/lists/stop/{secret}", open, d.stopList)
	d.raw("GET /api/lists/stop/{secret}", open, showStop)
}

func (d *door) myMails(ctx context.Context, by musa.Actor, _ *struct{}) (*body[Mails], error) {
	list, err := d.Notices.Preferences(ctx, by)
	if err != nil {
		return nil, err
	}
	out := Mails{Sends: d.Notices.Mails() == nil, Kinds: []MailKind{}}
	for _, p := range list {
		out.Kinds = append(out.Kinds, MailKind{Kind: p.Kind, Exempt: p.Mail == notice.Always, Mail: string(p.Mail), Page: string(p.Page)})
	}
	return &body[Mails]{out}, nil
}

func (d *door) chooseMails(ctx context.Context, by musa.Actor, in *mailsIn) (*body[Mails], error) {
	wishes := wishesOf(in.Body.Kinds)
	for _, w := range wishes {
		if w.Way == notice.ByMail && w.Answer == consent.Yes {
			if err := d.Accounts.Limit(ctx, "list", string(by.Subject), asksMost, asksPer); err != nil {
				return nil, err
			}
		}
	}
	err := d.Notices.Choose(ctx, by, wishes)
	if err != nil {
		return nil, err
	}
	// What was just said is not in the actor yet.
	if by, err = d.again(ctx, by, in.Signal); err != nil {
		return nil, err
	}
	return d.myMails(ctx, by, nil)
}

// wishesOf puts each yes before the noes: the last no to news takes their consent back, and a yes
// beside it means that it is not the last.
func wishesOf(kinds map[string]Channels) (yes []notice.Wish) {
	var no []notice.Wish
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		c := kinds[kind]
		for _, w := range []struct {
			way  notice.Channel
			word string
		}{{notice.ByMail, c.Mail}, {notice.ByPage, c.Page}} {
			switch w.word {
			case "yes":
				yes = append(yes, notice.Wish{Way: w.way, Kind: kind, Answer: consent.Yes})
			case "no":
				no = append(no, notice.Wish{Way: w.way, Kind: kind, Answer: consent.No})
			}
		}
	}
	return append(yes, no...)
}

// news are for everybody; who has a session sees what they asked for as well.
func (d *door) news(ctx context.Context, in *newsIn) (*body[NewsList], error) {
	by, err := actor(ctx)
	if err != nil && !errors.Is(err, musa.ErrUnauthorized) {
		return nil, d.judge(ctx, err)
	}
	list, err := d.Notices.News(ctx, by, in.Language, in.Accept)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	out := NewsList{News: []NewsItem{}}
	for _, n := range list {
		out.News = append(out.News, NewsItem{string(n.ID), n.Kind, timeOf(n.At), n.Words.Subject, n.Words.Text})
	}
	return &body[NewsList]{out}, nil
}

func (d *door) confirmList(ctx context.Context, in *listSecretIn) (*body[ListAnswer], error) {
	kind, err := d.Notices.Confirm(ctx, in.Body.Secret)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[ListAnswer]{ListAnswer{kind}}, nil
}

// stopList is what a mailbox posts when its owner presses "unsubscribe" (RFC 8058), with a body
// that says nothing more, and what the page of the link posts.
func (d *door) stopList(w http.ResponseWriter, r *http.Request) {
	kind, err := d.Notices.StopBy(r.Context(), r.PathValue("secret"))
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// The mailbox may have left; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(ListAnswer{kind})
}

// showStop leads a mailbox that opens the address in a browser to the page with the button: what
// merely looks at links stops nothing.
func showStop(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", "/confirm?for=stop#"+r.PathValue("secret"))
	w.WriteHeader(http.StatusSeeOther)
}
