package api

import (
	"context"
	"mime"
	"net"
	"net/http"
	"sync"
	"time"

	"musa"
	"musa/studio"
)

// content serves a picture's bytes, with ranges, to its owner, and cuts the response when
// the picture's end comes while it runs.
func (d *door) content(w http.ResponseWriter, r *http.Request, by musa.Actor, id musa.AssetID) error {
	role := musa.BlobFull
	if v := r.URL.Query().Get("role"); v != "" {
		role = musa.BlobRole(v)
	}
	if role != musa.BlobFull && role != musa.BlobThumb {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "role_unknown", Field: "role", Public: "The role must be full or thumb."}
	}
	c, err := d.Studio.Content(r.Context(), by, id, role)
	if err != nil {
		return err
	}
	defer func() {
		if err := c.Close(); err != nil {
			d.Log.Warn("close content", "asset", id, "err", err)
		}
	}()
	disposition := "inline"
	if r.URL.Query().Has("download") {
		disposition = "attachment"
	}
	w.Header().Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": c.Info.Name}))
	d.stream(w, r, c, role)
	return nil
}

// stream sends what is open, until its end comes.
func (d *door) stream(w http.ResponseWriter, r *http.Request, c studio.Content, role musa.BlobRole) {
	h := w.Header()
	h.Set("Content-Type", mediaType(c.Info.Format, role))
	// A picture is shown as a picture even if somebody opens its address: no scripts, no frames.
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	var watch sync.WaitGroup
	done := make(chan struct{})
	watch.Go(func() { d.cut(w, r, c, done) })
	defer func() {
		close(done)
		// Before the content closes: that ends its Done, too, and nobody may then take
		// it for the end of the picture and cut a response that is whole.
		watch.Wait()
	}()
	http.ServeContent(guarded{w, c}, r, "", time.Time{}, c)
}

// cut ends a response that waits for a slow client when the picture may no longer be read.
func (d *door) cut(w http.ResponseWriter, r *http.Request, c studio.Content, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-c.Done():
	}
	d.hangUp(w, r)
}

type connKey struct{}

// ConnContext belongs into http.Server.ConnContext: it lets a response be cut off with all
// that the kernel still holds of it.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn() // below TLS
	}
	return context.WithValue(ctx, connKey{}, c)
}

// guarded aborts instead of ending a response cleanly when its content was cut: a short
// picture must not look like a whole one.
type guarded struct {
	http.ResponseWriter
	c studio.Content
}

func (g guarded) Write(p []byte) (int, error) {
	select {
	case <-g.c.Done():
		return 0, musa.ErrGone
	default:
		return g.ResponseWriter.Write(p)
	}
}

func mediaType(format string, role musa.BlobRole) string {
	if role == musa.BlobThumb {
		return "image/webp"
	}
	return "image/" + format
}
