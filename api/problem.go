package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"musa"
)

// Problem is the error body: RFC 9457, with a stable code and the field at fault.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason,omitempty" doc:"With 410: why it is gone."`

	retry time.Duration // told as Retry-After; 0 for none
}

// GetHeaders tells huma when to come again.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch {
	case p.retry > 0:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retry.Seconds()))))
	case p.Status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "5")
	}
	return h
}

func (p *Problem) Error() string { return p.Code }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// kindOf is a kind of error as HTTP and people hear of it.
type kindOf struct {
	kind   error
	status int
	code   string
	words  string
}

// statuses is the one table from kinds of error to HTTP.
var statuses = []kindOf{
	{musa.ErrInvalid, http.StatusBadRequest, "invalid", "The request cannot be used as it is. See /api/openapi.json for its form."},
	{musa.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "This is larger than the server takes."},
	{musa.ErrUnsupported, http.StatusUnsupportedMediaType, "unsupported", "This kind of file is not taken."},
	{musa.ErrUnauthorized, http.StatusUnauthorized, "unauthorized", "Sign in first, or begin as a guest with POST /api/guests."},
	{musa.ErrNotFound, http.StatusNotFound, "not_found", "There is nothing here for you."},
	{musa.ErrGone, http.StatusGone, "gone", "This has reached the end that the privacy policy sets for it."},
	{musa.ErrRefused, http.StatusForbidden, "refused", "The privacy policy does not allow this."},
	{musa.ErrUnaffordable, http.StatusPaymentRequired, "not_enough_credits", "There are not enough credits left."},
	{musa.ErrConflict, http.StatusConflict, "conflict", "Something else changed first. Look again and repeat."},
	{musa.ErrLimited, http.StatusTooManyRequests, "rate_limited", "Too many requests. Wait a moment."},
	{musa.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "The server cannot do this just now. Nothing was lost; try again in a moment."},
}

// problem turns any error into what a client may see. What has no kind is 500, with no word
// of its cause.
func problem(err error) *Problem {
	out := &Problem{Type: "about:blank", Status: http.StatusInternalServerError, Code: "internal",
		Detail: "Something broke on the server. Nothing you sent was kept; try again."}
	for _, s := range statuses {
		if errors.Is(err, s.kind) {
			out.Status, out.Code, out.Detail = s.status, s.code, s.words
			break
		}
	}
	var p *musa.Problem
	if errors.As(err, &p) {
		out.Field, out.retry = p.Field, p.Retry
		if p.Code != "" {
			out.Code = p.Code
		}
		if p.Public != "" {
			out.Detail = p.Public
		}
	}
	out.Title = http.StatusText(out.Status)
	if out.Status == http.StatusGone {
		out.Reason, out.Code = out.Code, "gone"
	}
	return out
}

// newError replaces huma's: its details carry submitted values, ours only where they were.
func newError(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: "invalid",
		Detail: "The request does not have the form that /api/openapi.json describes."}
	if status >= http.StatusInternalServerError {
		p.Code, p.Detail = "internal", "Something broke on the server. Nothing you sent was kept; try again."
	}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if errors.As(err, &d) {
			p.Field = field(ctx, d)
			break
		}
	}
	if p.Field == "" && status < http.StatusInternalServerError {
		p.Field = "body" // there is none, or it is no JSON
	}
	if i := slices.IndexFunc(statuses, func(s kindOf) bool { return s.status == status }); i >= 0 && status != http.StatusBadRequest {
		p.Code, p.Detail = statuses[i].code, statuses[i].words
	}
	if status == http.StatusUnprocessableEntity {
		p.Status, p.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
	}
	return p
}

// field is the name that the API's own description gives to what is wrong. A name that it
// does not know is submitted text, which no answer repeats: then it is what holds it, or the whole body.
func field(ctx huma.Context, d *huma.ErrorDetail) string {
	if d.Message == validation.MsgUnexpectedProperty {
		return "body"
	}
	at := d.Location
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(d.Message, before); ok {
		at += "." + strings.TrimSuffix(name, after)
	}
	if path, ok := strings.CutPrefix(at, "body."); ok {
		return described(ctx, path)
	}
	return at
}

type schemasKey struct{}

// withSchemas gives errors the description that they take names from.
func withSchemas(all huma.Registry) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) { next(huma.WithValue(ctx, schemasKey{}, all)) }
}

// described is as much of a path in a body as the operation's schema names. Behind it stand keys of
// a map, which whoever sent them made up.
func described(ctx huma.Context, path string) string {
	var s *huma.Schema
	if ctx == nil {
		return "body"
	}
	if op := ctx.Operation(); op != nil && op.RequestBody != nil && op.RequestBody.Content["application/json"] != nil {
		s = op.RequestBody.Content["application/json"].Schema
	}
	all, _ := ctx.Context().Value(schemasKey{}).(huma.Registry)
	end := 0
	for part := range strings.SplitSeq(path, ".") {
		name, _, list := strings.Cut(part, "[")
		if s = plain(all, s); s == nil || s.Properties[name] == nil {
			break
		}
		if s, end = s.Properties[name], end+len(part)+1; list {
			if s = plain(all, s); s != nil {
				s = s.Items
			}
		}
	}
	if end == 0 {
		return "body"
	}
	return path[:end-1]
}

// plain is the schema that a reference stands for.
func plain(all huma.Registry, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" && all != nil {
		return all.SchemaFromRef(s.Ref)
	}
	return s
}

// fail answers with a problem, and logs what is the server's own fault.
func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := d.judge(r.Context(), err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	maps.Copy(w.Header(), p.GetHeaders())
	w.WriteHeader(p.Status)
	// The client may have left; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(p)
}

// judge turns an error of a use case into a problem and logs the unexpected.
func (d *door) judge(ctx context.Context, err error) *Problem {
	p := problem(err)
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		d.Log.Error("request failed", "status", p.Status, "code", p.Code, "err", err)
	}
	return p
}
