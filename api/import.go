package api

import (
	"errors"
	"net/http"
	"time"

	"musa"
)

// bringingIn is how long an archive may take to arrive, and to be worked through.
const bringingIn = 6 * time.Hour

// bringIn takes an archive over as it arrives. It is read straight from the connection: a
// copy on the disk would lie there in clear.
func (d *door) bringIn(w http.ResponseWriter, r *http.Request, by musa.Actor) error {
	if err := http.NewResponseController(w).SetReadDeadline(d.Clock().Add(bringingIn)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	out, err := d.Rights.Import(r.Context(), by, r.Body)
	if err == nil {
		d.write(w, http.StatusOK, out)
	}
	return err
}
