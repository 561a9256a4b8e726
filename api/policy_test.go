package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"musa/api"
	"musa/musatest"
)

// TestPolicyVersions: both dates stand at the policy, each version can be read, and what one
// changes in another can be told.
func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	s := musatest.New(t, musatest.Rig{})
	nobody := &musatest.Client{T: t, Base: s.URL}
	var is api.Policy
	nobody.Want(http.StatusOK, nobody.Do("GET", "/api/policy", nil), &is)
	if is.Published == nil || is.Since == nil || is.State != "in_force" || is.Effective == "" {
		t.Errorf("the policy in force has dates %v, %v, state %q", is.Published, is.Since, is.State)
	}
	s.Clock.Turn(time.Hour)
	doc := *s.InForce()
	doc.Version, doc.Controller.Name = "2099-01-01.1", "Another Studio"
	doc.Effective = s.Clock.Now().UTC().Add(72 * time.Hour).Format(time.DateOnly)
	if err := s.House.Publish(t.Context(), &doc); err != nil {
		t.Fatal(err)
	}
	var all api.Versions
	nobody.Want(http.StatusOK, nobody.Do("GET", "/api/policy/versions", nil), &all)
	if len(all.Versions) != 2 || all.Versions[0].State != "in_force" || all.Versions[1].State != "announced" {
		t.Fatalf("versions %+v", all.Versions)
	}
	var was, next api.Policy
	nobody.Want(http.StatusOK, nobody.Do("GET", "/api/policy", nil), &was)
	s.Clock.Turn(73 * time.Hour)
	nobody.Want(http.StatusOK, nobody.Do("GET", "/api/policy", nil), &next)
	if was.Ref() != is.Ref() || next.Ref() != doc.Ref() || !next.Published.After(*is.Published) || !next.Since.After(*is.Since) {
		t.Errorf("in force was %s, is %s", was.Ref(), next.Ref())
	}
	var past api.Policy
	nobody.Want(http.StatusOK, nobody.Do("GET", "/api/policy/versions/"+is.Ref(), nil), &past)
	if past.State != "past" || past.Document != is.Document {
		t.Errorf("the former version is in state %q", past.State)
	}
	var d api.Comparison
	answer := nobody.Do("GET", "/api/policy/diff?from="+is.Ref()+"&to="+doc.Ref(), nil)
	if nobody.Want(http.StatusOK, answer, &d); !strings.Contains(string(answer.Body), "Another Studio") {
		t.Errorf("the difference: %s", answer.Body)
	}
	for path, field := range map[string]string{
		"/api/policy/diff?from=" + planted + "&to=" + is.Ref(): "from", "/api/policy/diff?from=" + is.Ref() + "&to=" + planted: "to",
		"/api/policy/versions/studio/" + planted: "version",
	} {
		got := nobody.Do("GET", path, nil)
		if p := nobody.Problem(http.StatusNotFound, got); p.Field != field || strings.Contains(string(got.Body), planted) {
			t.Errorf("%s: %s", path, got.Body)
		}
	}
	nobody.Problem(http.StatusBadRequest, nobody.Do("GET", "/api/policy/diff?from="+is.Ref(), nil))
	schema := nobody.Do("GET", "/api/policy/schema.json", nil)
	if !json.Valid(schema.Body) || schema.Header.Get("Content-Type") != "application/schema+json" {
		t.Errorf("the schema is %q, valid %v", schema.Header.Get("Content-Type"), json.Valid(schema.Body))
	}
}
