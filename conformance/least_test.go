package conformance_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"musa/musatest"
)

// schema is what the matrix reads of the API's own description.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	MinLength  int               `json:"minLength"`
	MinItems   int               `json:"minItems"`
	Minimum    float64           `json:"minimum"`
}

type description struct {
	Paths map[string]map[string]struct {
		Parameters []struct {
			Name     string `json:"name"`
			In       string `json:"in"`
			Required bool   `json:"required"`
			Schema   schema `json:"schema"`
		} `json:"parameters"`
		Body *struct {
			Content map[string]struct {
				Schema schema `json:"schema"`
			} `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

// meant are bodies whose least by the description means nothing to their route.
var meant = map[string]string{
	"PUT /api/assets/{id}/feedback": `{"rating":3}`,
	"PUT /api/me/mails":             `{"kinds":{"news":{"mail":"no"}}}`,
	"PUT /api/consents":             `{"training":"no"}`,
	"PUT /api/me/consents":          `{"training":"no"}`,
	// The least by the description is an owner's word, which the matrix asks for apart.
	"POST /api/workspaces/{id}/invitations":        `{"email":"nobody@example.net","role":"viewer"}`,
	"PATCH /api/workspaces/{id}/members/{subject}": `{"role":"viewer"}`,
}

// describe reads from /api/openapi.json the least that each route takes.
func (m *matrix) describe() {
	m.least, m.query = map[string][]byte{}, map[string]string{}
	nobody := &musatest.Client{T: m.t, Base: m.URL}
	var d description
	nobody.Want(http.StatusOK, nobody.Do(http.MethodGet, "/api/openapi.json", nil), &d)
	for path, methods := range d.Paths {
		for method, op := range methods {
			key := strings.ToUpper(method) + " " + path
			asked := url.Values{}
			for _, p := range op.Parameters {
				if p.In == "query" && p.Required {
					asked.Set(p.Name, "x")
				}
			}
			if len(asked) > 0 {
				m.query[key] = "?" + asked.Encode()
			}
			if op.Body == nil {
				continue
			}
			if c, ok := op.Body.Content["application/json"]; ok {
				raw, err := json.Marshal(d.least(c.Schema, ""))
				m.must(err)
				m.least[key] = raw
				if b, ok := meant[key]; ok {
					m.least[key] = []byte(b)
				}
			}
		}
	}
}

// least is the smallest value of a schema; names that mean something get what they mean.
func (d *description) least(s schema, name string) any {
	if s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind, _ := s.Type.(string)
	if list, ok := s.Type.([]any); ok && len(list) > 0 {
		kind, _ = list[0].(string)
	}
	switch kind {
	case "object":
		out := map[string]any{}
		for _, p := range s.Required {
			out[p] = d.least(s.Properties[p], p)
		}
		return out
	case "array":
		out := []any{}
		for len(out) < s.MinItems {
			out = append(out, d.least(*s.Items, name))
		}
		return out
	case "integer", "number":
		return s.Minimum
	case "boolean":
		return false
	}
	switch {
	case name == "email":
		return "nobody@example.net"
	case name == "country":
		return "DE"
	case s.Format == "date" || name == "born":
		return "1990-05-31"
	case s.Format == "date-time":
		return "2030-01-01T00:00:00Z"
	}
	return strings.Repeat("x", max(1, s.MinLength))
}

// dot is a small picture.
func dot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// login makes somebody who signs in with a password, and returns that login's id.
func (m *matrix) login() string {
	var list struct {
		Logins []struct {
			ID string `json:"id"`
		} `json:"logins"`
	}
	c := m.Member()
	c.Want(http.StatusOK, c.Do(http.MethodGet, "/api/me/logins", nil), &list)
	if len(list.Logins) == 0 {
		m.t.Fatal("somebody who signed up has no way to sign in")
	}
	return list.Logins[0].ID
}
