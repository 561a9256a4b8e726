package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"musa"
	"musa/rights"
	"musa/studio"
)

// patience is how long an upload may take.
const patience = 10 * time.Minute

// overhead is what a multipart body may hold besides the file.
const overhead = 1 << 20

type assetIn struct {
	ID string `path:"id"`
}

type eraseIn struct {
	ID   string `path:"id"`
	With string `query:"with" enum:"derived" doc:"Erase what was made from it as well."`
}

type assetList struct {
	Assets []Asset `json:"assets"`
	Next   string  `json:"next,omitempty" doc:"Pass as after for the next page."`
}

type patchIn struct {
	ID   string `path:"id"`
	Body struct {
		Erasing *bool `json:"erasing,omitempty" doc:"false takes an ordered erasure back, while its time to undo lasts."`
		Saved   *bool `json:"saved,omitempty" doc:"Keep an original as long as a result."`
	}
}

// Erasing is the answer to a deletion.
type Erasing struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Undo  Time   `json:"undo_until"`
}

func (d *door) assets() {
	d.raw("POST /api/assets", may(musa.ActMake), d.streamed(d.upload))
	d.raw("GET /api/assets/{id}/content", may(musa.ActSee), streamedOf(d, musa.ParseAssetID, d.content))
	huma.Register(d.api, huma.Operation{OperationID: "list-assets", Method: http.MethodGet, Path: "/api/assets",
		Summary: "Your pictures, newest first, tombstones included", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.listAssets))
	huma.Register(d.api, huma.Operation{OperationID: "get-asset", Method: http.MethodGet, Path: "/api/assets/{id}",
		Summary: "One picture, or its tombstone", Security: secured, Metadata: may(musa.ActSee)}, serve(d, d.getAsset))
	huma.Register(d.api, huma.Operation{OperationID: "erase-asset", Method: http.MethodDelete, Path: "/api/assets/{id}",
		Summary: "Erase a picture now; it can be undone for as long as the policy says", DefaultStatus: http.StatusAccepted, Security: secured, Metadata: may(musa.ActErase)}, serve(d, d.eraseAsset))
	huma.Register(d.api, huma.Operation{OperationID: "change-asset", Method: http.MethodPatch, Path: "/api/assets/{id}",
		Summary: "Undo an erasure, or save an original", Security: secured, Metadata: may(musa.ActMake)}, serve(d, d.changeAsset))
	d.describeRaw()
}

// upload streams the multipart body by hand: Go's form parser would spool the picture to
// disk in clear. Fields must stand before the file, because the file is taken as it comes.
func (d *door) upload(w http.ResponseWriter, r *http.Request, by musa.Actor) error {
	// A body that trickles in would hold its share of the memory for as long as it likes.
	if err := http.NewResponseController(w).SetReadDeadline(d.Clock().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, d.Studio.Limits.Bytes+overhead)
	a, err := d.receive(r, by)
	if err == nil {
		d.write(w, http.StatusCreated, assetOf(a))
	}
	return err
}

func (d *door) receive(r *http.Request, by musa.Actor) (studio.Asset, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return studio.Asset{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "multipart_needed", Field: "file",
			Public: "Send the picture as multipart/form-data in a field called file."}
	}
	var up studio.Upload
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return studio.Asset{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "file_missing", Field: "file",
				Public: "There is no file in the upload. Send the picture in a field called file."}
		}
		if err != nil {
			return studio.Asset{}, uploadError(err)
		}
		switch part.FormName() {
		case "save":
			if up.Save, err = flag(part); err != nil {
				return studio.Asset{}, err
			}
		case "file":
			up.Name, up.Body = fileName(part), fileBody{part}
			return d.Studio.Admit(r.Context(), by, up)
		}
	}
}

func flag(r io.Reader) (bool, error) {
	raw, err := io.ReadAll(io.LimitReader(r, 16))
	if err != nil {
		return false, uploadError(err)
	}
	v, err := strconv.ParseBool(string(raw))
	if err != nil {
		return false, &musa.Problem{Kind: musa.ErrInvalid, Code: "not_a_flag", Field: "save", Public: "The field save must be true or false."}
	}
	return v, nil
}

// fileName reads the name as sent: part.FileName would give only a base name by the
// server's own rules, and fail on long ones.
func fileName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

// fileBody gives the reader's errors words.
type fileBody struct{ r io.Reader }

func (f fileBody) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = uploadError(err)
	}
	return n, err
}

func uploadError(err error) error {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "file_too_large", Field: "file",
			Public: "This file is larger than " + strconv.FormatInt((over.Limit-overhead)>>20, 10) + " MB, the most that is taken. Send a smaller one."}
	}
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "upload_broken", Field: "file",
		Public: "The upload broke off before the file was complete. Send it again."}
}

func (d *door) listAssets(ctx context.Context, by musa.Actor, in *pageIn) (*body[assetList], error) {
	rows, err := d.Studio.Assets(ctx, by, musa.AssetID(in.After), in.Limit)
	if err != nil {
		return nil, err
	}
	out := assetList{Assets: assetsOf(rows)}
	if len(rows) == in.Limit {
		out.Next = string(rows[len(rows)-1].ID)
	}
	return &body[assetList]{out}, nil
}

func (d *door) getAsset(ctx context.Context, by musa.Actor, in *assetIn) (*body[Asset], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	a, err := d.Studio.Asset(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Asset]{assetOf(a)}, nil
}

func (d *door) eraseAsset(ctx context.Context, by musa.Actor, in *eraseIn) (*body[Erasing], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	reach := rights.Alone
	if in.With == "derived" {
		reach = rights.Derived
	}
	undo, err := d.Rights.Erase(ctx, by, id, reach)
	if err != nil {
		return nil, err
	}
	return &body[Erasing]{Erasing{ID: in.ID, State: "erasing", Undo: timeOf(undo)}}, nil
}

func (d *door) changeAsset(ctx context.Context, by musa.Actor, in *patchIn) (*body[Asset], error) {
	id, err := musa.ParseAssetID(in.ID)
	if err != nil {
		return nil, err
	}
	if in.Body.Erasing != nil {
		if *in.Body.Erasing {
			return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "use_delete", Field: "erasing", Public: "To erase a picture, use DELETE. Here only false is taken, to undo."}
		}
		if err := d.Rights.Undo(ctx, by, id); err != nil {
			return nil, err
		}
	}
	if in.Body.Saved != nil {
		wish := studio.WishLet
		if *in.Body.Saved {
			wish = studio.WishSave
		}
		if _, err := d.Studio.Keep(ctx, by, id, wish); err != nil {
			return nil, err
		}
	}
	a, err := d.Studio.Asset(ctx, by, id)
	if err != nil {
		return nil, err
	}
	return &body[Asset]{assetOf(a)}, nil
}

// write encodes an answer of a raw route.
func (d *door) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may have left; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(v)
}
