package api

import (
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// describeRaw adds the routes that stream bytes, which huma does not handle, to the
// document.
func (d *door) describeRaw() {
	doc := d.api.OpenAPI()
	asset := huma.SchemaFromType(doc.Components.Schemas, reflect.TypeFor[Asset]())
	doc.AddOperation(&huma.Operation{OperationID: "upload-asset", Method: http.MethodPost, Path: "/api/assets",
		Summary: "Upload a picture; its metadata is removed", Security: secured,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
			Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
				"save": {Type: "boolean", Description: "Keep the original as long as a result. Must stand before the file."},
				"file": {Type: "string", Format: "binary"},
			}}}}},
		Responses: map[string]*huma.Response{"201": {Description: "Created", Content: map[string]*huma.MediaType{"application/json": {Schema: asset}}}}})
	id := &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}
	doc.AddOperation(&huma.Operation{OperationID: "get-content", Method: http.MethodGet, Path: "/api/assets/{id}/content",
		Summary: "A picture's bytes; ranges are served; 410 with the reason after its end", Security: secured,
		Parameters: []*huma.Param{id,
			{Name: "role", In: "query", Schema: &huma.Schema{Type: "string", Enum: []any{"full", "thumb"}}},
			{Name: "download", In: "query", Schema: &huma.Schema{Type: "string"}, Description: "Any value: offer it as a file."}},
		Responses: map[string]*huma.Response{
			"200": {Description: "The picture", Content: map[string]*huma.MediaType{"image/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}},
			"206": {Description: "A part of it"}, "410": {Description: "Gone, with the reason"}}})
	doc.AddOperation(&huma.Operation{OperationID: "policy-schema", Method: http.MethodGet, Path: "/api/policy/schema.json",
		Summary:   "The language of the policy as JSON Schema 2020-12",
		Responses: map[string]*huma.Response{"200": {Description: "The schema", Content: map[string]*huma.MediaType{"application/schema+json": {Schema: &huma.Schema{Type: "object"}}}}}})
	doc.AddOperation(&huma.Operation{OperationID: "watch-job", Method: http.MethodGet, Path: "/api/jobs/{id}/events",
		Summary: "Server-sent events `state` and `progress`, each with the job", Security: secured, Parameters: []*huma.Param{id},
		Responses: map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}}})
}

// describeHeld adds the one route of the staff that streams bytes.
func (d *door) describeHeld(path string) {
	doc := d.api.OpenAPI()
	doc.AddOperation(&huma.Operation{OperationID: "open-held", Method: http.MethodPost, Path: path + "/{id}/content",
		Summary: "Open what is held, for a reason that is entered before it opens", Security: secured,
		Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
			Schema: huma.SchemaFromType(doc.Components.Schemas, reflect.TypeFor[openingIn]())}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "The picture", Content: map[string]*huma.MediaType{"image/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}},
			"410": {Description: "Released"}}})
}

// schemaName names a type in the description of the API. A type of another package bears that
// package's name: two of the same name would stop the program.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if from := path.Base(t.PkgPath()); t.Name() != "" && from != "." && from != "api" {
		return strings.ToUpper(from[:1]) + from[1:] + name
	}
	return name
}
