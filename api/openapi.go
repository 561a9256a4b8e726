package api

import (
	"net/http"
	"reflect"

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
	doc.AddOperation(&huma.Operation{OperationID: "export", Method: http.MethodGet, Path: "/api/me/export",
		Summary: "All your pictures and their processing history as one ZIP: images/ and history.json", Security: secured,
		Responses: map[string]*huma.Response{"200": {Description: "The archive", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}})
	doc.AddOperation(&huma.Operation{OperationID: "watch-job", Method: http.MethodGet, Path: "/api/jobs/{id}/events",
		Summary: "Server-sent events `state` and `progress`, each with the job", Security: secured, Parameters: []*huma.Param{id},
		Responses: map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}}})
}
