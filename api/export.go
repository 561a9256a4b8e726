package api

import (
	"net/http"
)

// export streams a person's pictures and history as one archive. An error in the middle
// breaks the connection off: a cut archive must not look like a whole one.
func (d *door) export(w http.ResponseWriter, r *http.Request) {
	by, err := actor(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="musa-export.zip"`)
	if err := d.Rights.Export(r.Context(), by, w); err != nil {
		if r.Context().Err() == nil {
			d.Log.Error("export failed", "subject", by.Subject, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
}
