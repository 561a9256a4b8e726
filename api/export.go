package api

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"musa"
	"musa/lang"
	"musa/rights"
)

// export streams all that is a person's as one archive, once they proved to be that person.
func (d *door) export(w http.ResponseWriter, r *http.Request, by musa.Actor) error {
	if err := d.Accounts.Proved(r.Context(), by); err != nil {
		return err
	}
	return d.send(w, r, by, rights.Parcel{})
}

func (d *door) exportAsset(w http.ResponseWriter, r *http.Request, by musa.Actor, id musa.AssetID) error {
	return d.send(w, r, by, rights.Parcel{Asset: id})
}

func (d *door) exportJob(w http.ResponseWriter, r *http.Request, by musa.Actor, id musa.JobID) error {
	return d.send(w, r, by, rights.Parcel{Job: id})
}

// send streams an archive. What is refused before the first byte is returned; an error in the middle
// breaks the connection off: a cut archive must not look like a whole one.
func (d *door) send(w http.ResponseWriter, r *http.Request, by musa.Actor, p rights.Parcel) error {
	p.Words = lang.Match(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	watch := d.Rights.Watched(by)
	defer watch.Stop()
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() { d.sever(w, r, watch.Done(), done) })
	out := &begun{ResponseWriter: w}
	err := d.Rights.Export(r.Context(), by, p, out)
	close(done)
	wait.Wait()
	if err == nil || !out.sent {
		return err
	}
	if r.Context().Err() == nil && !errors.Is(err, musa.ErrGone) {
		d.Log.Error("export failed", "subject", by.Subject, "err", err)
	}
	panic(http.ErrAbortHandler)
}

// begun puts an archive's headers before its first byte.
type begun struct {
	http.ResponseWriter
	sent bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.sent {
		b.sent = true
		b.Header().Set("Content-Type", "application/zip")
		b.Header().Set("Content-Disposition", `attachment; filename="musa-export.zip"`)
	}
	return b.ResponseWriter.Write(p)
}

// sever ends an archive on its way to a slow client when its owner's key is destroyed.
func (d *door) sever(w http.ResponseWriter, r *http.Request, gone, done <-chan struct{}) {
	select {
	case <-done:
	case <-gone:
		d.hangUp(w, r)
	}
}

// hangUp throws away what the kernel has not sent yet, with the connection.
func (d *door) hangUp(w http.ResponseWriter, r *http.Request) {
	err := http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		d.Log.Warn("cut a response", "err", err)
	}
	if conn, ok := r.Context().Value(connKey{}).(*net.TCPConn); ok {
		if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
			d.Log.Warn("cut a connection", "err", err)
		}
	}
}
