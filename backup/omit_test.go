package backup_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"musa"
	"musa/backup"
	"musa/musatest"
	"musa/musatest/photos"
	"musa/policy"
)

// What the policy leaves out of copies is in none: not its row, not its key and not its bytes.
// Where it was in them before, the next copy takes it out.
func TestACopyLeavesOutWhatThePolicySays(t *testing.T) {
	t.Parallel()
	for _, stores := range musatest.BothStores() {
		t.Run(string(stores), func(t *testing.T) {
			t.Parallel()
			k := keep(t, stores)
			g := k.Guest()
			photo := photos.Read(t, "astronaut.png")
			original := g.Upload("a.png", photo, "save", "true")
			g.Made(original.ID, nil)
			k.made()
			key := k.wrapped(original.ID)
			if !bytes.Contains(k.keyCopy(), key) {
				t.Fatal("the control does not find the key in the key copy")
			}
			before := len(stored(t, k.target, "blob/"))
			doc := *k.InForce()
			doc.Lifecycle.Backup.LeavesOut = policy.Words{string(musa.CategoryOriginal)}
			a := backup.New(backup.Config{DB: k.DB, Blobs: k.Blobs, Target: k.target, Keys: k.Keys, Clock: k.Clock.Now, Log: slog.New(slog.DiscardHandler),
				Node: "other", Policy: func() *policy.Document { return &doc }})
			k.Clock.Turn(time.Second)
			c, err := a.Make(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(k.keyCopy(), key) {
				t.Error("the key of what is left out is in the key copy")
			}
			after := len(stored(t, k.target, "blob/"))
			if after == 0 || after >= before || int64(after) != c.Blobs {
				t.Errorf("%d blobs in the target with originals, %d without, and the copy counts %d", before, after, c.Blobs)
			}
			r := k.fresh(t, stores)
			restored(t, r)
			rows := table(t, r.DB, "assets")
			if len(rows) == 0 || strings.Contains(strings.Join(rows, ""), original.ID+`","`) {
				t.Errorf("pictures after the restore: %q", rows)
			}
		})
	}
}
