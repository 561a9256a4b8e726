package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/rights"
)

// takeAlong are the routes by which people see what is held of them and take it elsewhere.
func (d *door) takeAlong() {
	huma.Register(d.api, huma.Operation{OperationID: "holdings", Method: http.MethodGet, Path: "/api/me/holdings",
		Summary:  "Every kind of data that is held of you: how much, since when, why, on which basis, who may see it, when it ends",
		Security: secured, Metadata: may(musa.ActGovern)}, serve(d, d.holdings))
	d.raw("GET /api/me/export", may(musa.ActGovern), d.streamed(d.export))
	d.raw("POST /api/me/import", may(musa.ActMake), d.streamed(d.bringIn))
	d.raw("GET /api/assets/{id}/export", may(musa.ActSee), streamedOf(d, musa.ParseAssetID, d.exportAsset))
	d.raw("GET /api/jobs/{id}/export", may(musa.ActSee), streamedOf(d, musa.ParseJobID, d.exportJob))
	d.raw("GET /api/export/schema.json", open, d.exportSchema)
	d.describeTakeAlong()
}

func (d *door) holdings(ctx context.Context, by musa.Actor, in *Tongue) (*body[rights.Holdings], error) {
	h, err := d.Rights.Holdings(ctx, by, in.tag())
	if err != nil {
		return nil, err
	}
	return &body[rights.Holdings]{h}, nil
}

// storage is how full the person's storage is.
func (d *door) storage(ctx context.Context, by musa.Actor) (rights.Room, error) {
	room, err := d.Studio.Room(ctx, by)
	return rights.Room(room), err
}

func (d *door) exportSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	// The client may have left; there is nobody to tell.
	_, _ = w.Write(rights.Schema())
}

// describeTakeAlong adds the routes that stream archives to the document.
func (d *door) describeTakeAlong() {
	archive := map[string]*huma.Response{"200": {Description: "The archive", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}}
	id := []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}}
	doc := d.api.OpenAPI()
	doc.AddOperation(&huma.Operation{OperationID: "export", Method: http.MethodGet, Path: "/api/me/export",
		Summary: "All that is yours as one ZIP: pictures, history, words, and a page that explains it; prove who you are first", Security: secured, Responses: archive})
	doc.AddOperation(&huma.Operation{OperationID: "export-asset", Method: http.MethodGet, Path: "/api/assets/{id}/export",
		Summary: "One picture with all that belongs to it, as an archive of the same form", Security: secured, Parameters: id, Responses: archive})
	doc.AddOperation(&huma.Operation{OperationID: "export-prompt", Method: http.MethodGet, Path: "/api/jobs/{id}/export",
		Summary: "What you said and chose for one job, as an archive of the same form", Security: secured, Parameters: id, Responses: archive})
	doc.AddOperation(&huma.Operation{OperationID: "export-schema", Method: http.MethodGet, Path: "/api/export/schema.json",
		Summary:   "The form of an archive as JSON Schema 2020-12",
		Responses: map[string]*huma.Response{"200": {Description: "The schema", Content: map[string]*huma.MediaType{"application/schema+json": {Schema: &huma.Schema{Type: "object"}}}}}})
	doc.AddOperation(&huma.Operation{OperationID: "import", Method: http.MethodPost, Path: "/api/me/import",
		Summary: "Take over an archive that Musa exported; it ends here as if it had been made now", Security: secured,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}},
		Responses:   map[string]*huma.Response{"200": {Description: "What was taken over, and when it ends", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "object"}}}}}})
}
