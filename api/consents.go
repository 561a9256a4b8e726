package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/consent"
)

// consentCookie is consent.Cookie, by the name under which it is declared.
const consentCookie = "musa_consent"

// signalHeader is Global Privacy Control.
const signalHeader = "Sec-GPC"

// Consents is what is asked here, and what was answered.
type Consents struct {
	Policy   string        `json:"policy" doc:"The version that asks."`
	Region   string        `json:"region,omitempty"`
	Known    bool          `json:"known" doc:"The answers are a person's or a guest's; else they are this browser's alone."`
	Signal   bool          `json:"gpc" doc:"This request bears Global Privacy Control (Sec-GPC: 1), and it is honoured."`
	Ask      []string      `json:"ask" doc:"What was not answered yet; nothing of it is done until it is."`
	Consents []ConsentLine `json:"consents"`
	Accepted []Word        `json:"accepted,omitempty" doc:"Of the policy and the terms."`
	Log      *Word         `json:"interaction_log,omitempty"`
}

// ConsentLine is one consent of the policy.
type ConsentLine struct {
	Name      string   `json:"name"`
	Mode      string   `json:"mode" enum:"notice_only,opt_in,opt_out"`
	On        bool     `json:"on" doc:"What it is asked for may be done, in this request."`
	Answer    string   `json:"answer" enum:"yes,no,none" doc:"What was said last; none is neither."`
	Word      *Word    `json:"word,omitempty"`
	Items     []Word   `json:"items,omitempty" doc:"What was said about single pictures."`
	Cookies   []string `json:"cookies"`
	Purposes  []string `json:"purposes"`
	Requires  string   `json:"requires,omitempty"`
	When      string   `json:"when,omitempty"`
	WhenOff   string   `json:"when_off,omitempty"`
	Scope     []string `json:"scope,omitempty"`
	Gpc       string   `json:"gpc,omitempty" enum:"refuses,refused,overrules" doc:"refuses: the signal would refuse it. refused: it does now. overrules: it does now, against a yes that is kept and counts again without the signal."`
	GpcWords  string   `json:"gpc_words,omitempty"`
	Necessary bool     `json:"necessary" doc:"The service does not work without it: nobody is asked."`
}

// Word is something that a person said, once.
type Word struct {
	ID      string `json:"id,omitempty"`
	Name    string `json:"name"`
	Asset   string `json:"asset,omitempty"`
	Answer  string `json:"answer" enum:"yes,no"`
	Via     string `json:"via"`
	Version string `json:"version" doc:"Under which they were asked."`
	At      Time   `json:"at"`
	Ended   Time   `json:"ended" doc:"When a later word took its place."`
	Expires Time   `json:"expires"`
}

// ConsentsIn is what a browser says of itself with each request about consents.
type ConsentsIn struct {
	Signal string `header:"Sec-GPC"`
	Jar    string `cookie:"musa_consent"`
}

type consentsPut struct {
	ConsentsIn
	Body map[string]string `doc:"yes or no by the name of each consent."`
}

type consentsOut struct {
	SetCookie []*http.Cookie `header:"Set-Cookie"`
	Body      Consents
}

type historyOut struct {
	Consents
	History []Word `json:"history" doc:"All that was ever said, newest first, at most 200."`
}

func (d *door) consents() {
	huma.Register(d.api, huma.Operation{OperationID: "get-consents", Method: http.MethodGet, Path: "/api/consents",
		Summary: "What is asked here, also of visitors without a session, and what this browser answered", Metadata: open}, d.getConsents)
	huma.Register(d.api, huma.Operation{OperationID: "answer-consents", Method: http.MethodPut, Path: "/api/consents",
		Summary: "Say yes or no; a no is remembered as well as a yes", Metadata: mayToo(musa.ActSelf)}, d.putConsents)
	huma.Register(d.api, huma.Operation{OperationID: "my-consents", Method: http.MethodGet, Path: "/api/me/consents",
		Summary: "What you allowed, when and under which version, and all that you ever said", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.myConsents))
	huma.Register(d.api, huma.Operation{OperationID: "choose-consents", Method: http.MethodPut, Path: "/api/me/consents",
		Summary: "Give or withdraw consents; a withdrawal counts at once", Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.chooseConsents))
}

func (d *door) getConsents(ctx context.Context, in *ConsentsIn) (*body[Consents], error) {
	by, err := actor(ctx)
	if err != nil && !errors.Is(err, musa.ErrUnauthorized) && !errors.Is(err, musa.ErrRefused) {
		return nil, d.judge(ctx, err) // what this browser answered would pass for their account's answers
	}
	if err != nil {
		return &body[Consents]{d.visitor(consent.DecodeCookie(d.Policy(), in.Jar), in.Signal)}, nil
	}
	out, err := d.consentsOf(ctx, by, in.Signal)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	return &body[Consents]{out}, nil
}

// putConsents remembers a visitor's answers in their browser alone. Of somebody who is known
// they are kept with what is theirs, and in the browser for the pages.
func (d *door) putConsents(ctx context.Context, in *consentsPut) (*consentsOut, error) {
	answers, err := spoken(in.Body)
	if err != nil {
		return nil, d.judge(ctx, err)
	}
	jar := consent.DecodeCookie(d.Policy(), in.Jar)
	for name, a := range answers {
		if err := consent.Asks(d.Policy(), name); err != nil {
			return nil, d.judge(ctx, err)
		}
		jar[name] = a
	}
	out := &consentsOut{}
	by, unknown := actor(ctx)
	if unknown == nil {
		if err := d.Consents.Choose(ctx, by, answers, consent.ViaBanner); err != nil {
			return nil, d.judge(ctx, err)
		}
		if by, err = d.again(ctx, by, in.Signal); err == nil {
			out.Body, err = d.consentsOf(ctx, by, in.Signal)
		}
		if err != nil {
			return nil, d.judge(ctx, err)
		}
	} else {
		out.Body = d.visitor(jar, in.Signal)
	}
	out.SetCookie = d.jarOf(ctx, jar)
	return out, nil
}

// jarOf is the cookie with a visitor's choices, and those cookies taken away that a no ends.
func (d *door) jarOf(ctx context.Context, jar map[string]consent.Answer) []*http.Cookie {
	secure := d.Cookies.Secure(ctx)
	set := []*http.Cookie{{Name: consentCookie, Value: consent.EncodeCookie(d.Policy(), jar), Path: "/", HttpOnly: true,
		Secure: secure, SameSite: http.SameSiteLaxMode, MaxAge: int(consent.CookieLife.Seconds())}}
	for _, c := range []*http.Cookie{
		{Name: "musa_lang", Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode},
		{Name: "musa_theme", Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode},
	} {
		for _, e := range d.Policy().Consents {
			if answer, said := jar[e.Name]; said && answer == consent.No && e.Value.Cookies.Has(c.Name) {
				set = append(set, c)
			}
		}
	}
	return set
}

func (d *door) myConsents(ctx context.Context, by musa.Actor, in *ConsentsIn) (*body[historyOut], error) {
	now, err := d.consentsOf(ctx, by, in.Signal)
	if err != nil {
		return nil, err
	}
	list, err := d.Consents.History(ctx, by, "", 200)
	if err != nil {
		return nil, err
	}
	out := historyOut{Consents: now, History: []Word{}}
	for _, w := range list {
		out.History = append(out.History, wordOf(w))
	}
	return &body[historyOut]{out}, nil
}

func (d *door) chooseConsents(ctx context.Context, by musa.Actor, in *consentsPut) (*consentsOut, error) {
	answers, err := spoken(in.Body)
	if err != nil {
		return nil, err
	}
	if err := d.Consents.Choose(ctx, by, answers, consent.ViaSettings); err != nil {
		return nil, err
	}
	if by, err = d.again(ctx, by, in.Signal); err != nil {
		return nil, err
	}
	now, err := d.consentsOf(ctx, by, in.Signal)
	if err != nil {
		return nil, err
	}
	out := &consentsOut{Body: now}
	if by.Person == "" && in.Jar != "" { // the browser's own memory follows, where it has one
		jar := consent.DecodeCookie(d.Policy(), in.Jar)
		for name, a := range answers {
			jar[name] = a
		}
		out.SetCookie = d.jarOf(ctx, jar)
	}
	return out, nil
}

// again is the actor with the standing that their words have just made.
func (d *door) again(ctx context.Context, by musa.Actor, signal string) (musa.Actor, error) {
	st, err := d.Consents.Now(ctx, by.Subject)
	if err != nil {
		return by, err
	}
	if by.Standing = st; signal == "1" {
		by.Standing = consent.Signal(d.Policy(), st)
	}
	return by, nil
}

func spoken(in map[string]string) (map[string]consent.Answer, error) {
	out := map[string]consent.Answer{}
	for name, word := range in {
		switch word {
		case "yes":
			out[name] = consent.Yes
		case "no":
			out[name] = consent.No
		default:
			return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "not_an_answer", Field: "body", Public: "Answer each consent with yes or no."}
		}
	}
	if len(out) == 0 {
		return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "not_an_answer", Field: "body", Public: "Send at least one consent by name, with yes or no."}
	}
	return out, nil
}

// visitor is what is asked of somebody nobody knows.
func (d *door) visitor(jar map[string]consent.Answer, signal string) Consents {
	var st musa.Standing
	for name, a := range jar {
		if a == consent.Yes {
			st.Consents = append(st.Consents, name)
		}
	}
	if signal == "1" {
		st = consent.Signal(d.Policy(), st)
	}
	s := consent.Asked(d.Policy(), st)
	for i := range s.Lines {
		if a, said := jar[s.Lines[i].Name]; said {
			s.Lines[i].Word = consent.Word{Name: s.Lines[i].Name, Given: a == consent.Yes}
			s.Lines[i].Overruled = a == consent.Yes && s.Lines[i].Gpc && !s.Lines[i].On
		}
	}
	out := consentsFrom(s, signal)
	for i, l := range out.Consents {
		if a, said := jar[l.Name]; said {
			out.Consents[i].Answer = wordFor(a == consent.Yes)
		}
	}
	out.Ask = asks(out.Consents)
	return out
}

func (d *door) consentsOf(ctx context.Context, by musa.Actor, signal string) (Consents, error) {
	s, err := d.Consents.State(ctx, by)
	if err != nil {
		return Consents{}, err
	}
	out := consentsFrom(s, signal)
	out.Known = true
	return out, nil
}

func consentsFrom(s consent.State, signal string) Consents {
	out := Consents{Policy: s.Version, Region: s.Region, Signal: signal == "1", Consents: []ConsentLine{}}
	for _, l := range s.Lines {
		line := ConsentLine{Name: l.Name, Mode: l.Mode, On: l.On, Answer: "none", Cookies: append([]string{}, l.Cookies...), Purposes: []string{},
			Requires: l.Requires, When: l.When, WhenOff: l.WhenOff, Scope: l.Scope, Necessary: l.Mode == "notice_only"}
		for _, p := range l.Purposes {
			line.Purposes = append(line.Purposes, string(p))
		}
		if l.Word.Said() {
			w := wordOf(l.Word)
			line.Word, line.Answer = &w, w.Answer
		}
		for _, w := range l.Items {
			line.Items = append(line.Items, wordOf(w))
		}
		if l.Gpc {
			line.Gpc, line.GpcWords = gpcOf(l, out.Signal)
		}
		out.Consents = append(out.Consents, line)
	}
	for _, w := range s.Accepted {
		out.Accepted = append(out.Accepted, wordOf(w))
	}
	if s.Log.Said() {
		w := wordOf(s.Log)
		out.Log = &w
	}
	out.Ask = asks(out.Consents)
	return out
}

// gpcOf says what the signal does to a consent, in this request.
func gpcOf(l consent.Line, signal bool) (state, words string) {
	switch {
	case !signal:
		return "refuses", "Your browser can refuse this for you (Global Privacy Control)."
	case l.Overruled:
		return "overrules", "Your browser sends Global Privacy Control, so this is off in what you do from here. You said yes to it before; that yes is kept and counts where the signal is not sent. Withdraw it to end it everywhere."
	}
	return "refused", "Your browser sends Global Privacy Control, and that is taken as your no."
}

func asks(lines []ConsentLine) []string {
	out := []string{}
	for _, l := range lines {
		whole := len(l.Scope) == 0
		for _, s := range l.Scope {
			whole = whole || s == "subject"
		}
		if l.Answer == "none" && !l.Necessary && whole && l.Gpc != "refused" {
			out = append(out, l.Name)
		}
	}
	return out
}

func wordOf(w consent.Word) Word {
	return Word{ID: string(w.ID), Name: w.Name, Asset: string(w.Item), Answer: wordFor(w.Given), Via: w.Via, Version: w.Version,
		At: timeOf(w.At), Ended: timeOf(w.Ended), Expires: timeOf(w.Expires)}
}

func wordFor(given bool) string {
	if given {
		return "yes"
	}
	return "no"
}
