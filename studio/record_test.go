package studio_test

import (
	"errors"
	"testing"

	"musa"
	"musa/db"
	"musa/vault"
)

// A record whose own key or whose owner's key is destroyed is not there.
func TestARecordWithoutItsKeys(t *testing.T) {
	t.Parallel()
	o := db.RecordOpening{Record: db.Record{ID: "rc_1", Owner: "su_1"}, Secret: db.Secret{ID: "rc_1", Wrapped: []byte("k")}, SubjectKey: []byte("s")}
	l, err := vault.LockedRecord(o)
	if err != nil || l.ID != "rc_1" || l.Owner != "su_1" || string(l.Secret.Wrapped) != "k" || string(l.Subject) != "s" {
		t.Errorf("with both keys: %+v, %v", l, err)
	}
	item, owner := o, o
	item.Secret.Wrapped, owner.SubjectKey = nil, nil
	for without, o := range map[string]db.RecordOpening{"its own": item, "its owner's": owner} {
		if _, err := vault.LockedRecord(o); !errors.Is(err, musa.ErrNotFound) {
			t.Errorf("without %s key: %v", without, err)
		}
	}
}
