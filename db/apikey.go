package db

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// APIKey is a key of the API. It is shown once; its digest stands here, its name lies sealed under its id.
//
// Category: credential.
type APIKey struct {
	bun.BaseModel `bun:"table:api_keys"`

	ID      musa.KeyID `bun:",pk"`
	Subject musa.SubjectID
	Digest  []byte
	Scopes  string // separated by spaces
	Created musa.Millis
	Expires musa.Millis
	Used    musa.Millis
}

var apiKeyTable = Table{Name: "api_keys", Category: musa.CategoryCredential, Columns: columns(musa.CategoryCredential, "id", "subject", "digest", "scopes", "created", "expires", "used"), Owner: "subject",
	Edges: []Edge{{"subject", "subjects", Follow}}}

// InsertAPIKey adds a key of the API; what it is called is sealed beside it under its id.
func (tx Tx) InsertAPIKey(ctx context.Context, k APIKey) error {
	return wrapf(tx.insert(ctx, &k), "insert key %s", k.ID)
}

// APIKeyBy finds the key of a digest with its owner, until it expires; musa.ErrNotFound. The key of
// an owner who is closed or suspended opens nothing.
func (tx Tx) APIKeyBy(ctx context.Context, digest []byte) (APIKey, Subject, error) {
	var (
		k APIKey
		s Subject
	)
	err := tx.get(ctx, &k, "SELECT * FROM api_keys WHERE digest = ? AND expires > ?", digest, tx.Now)
	if err == nil {
		s, err = tx.Subject(ctx, k.Subject)
	}
	if err == nil && s.State != musa.SubjectActive {
		err = musa.ErrNotFound
	}
	if err != nil {
		return APIKey{}, Subject{}, fmt.Errorf("key by digest: %w", err)
	}
	return k, s, nil
}

// APIKeysOf lists an owner's keys that have not expired, the oldest first.
func (tx Tx) APIKeysOf(ctx context.Context, owner musa.SubjectID) ([]APIKey, error) {
	var list []APIKey
	err := tx.get(ctx, &list, "SELECT * FROM api_keys WHERE subject = ? AND expires > ? ORDER BY id", owner, tx.Now)
	return list, wrapf(err, "keys of %s", owner)
}

// TouchAPIKey notes that a key was used; musa.ErrNotFound.
func (tx Tx) TouchAPIKey(ctx context.Context, id musa.KeyID) error {
	n, err := tx.exec(ctx, "UPDATE api_keys SET used = ? WHERE id = ?", tx.Now, id)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	return wrapf(err, "touch key %s", id)
}

// DropAPIKey ends an owner's key, with its name; musa.ErrNotFound. A backup target's journal learns
// of it, so that no restore brings the key back.
func (tx Tx) DropAPIKey(ctx context.Context, owner musa.SubjectID, id musa.KeyID) error {
	n, err := tx.exec(ctx, "DELETE FROM api_keys WHERE id = ? AND subject = ?", id, owner)
	if err == nil && n == 0 {
		err = musa.ErrNotFound
	}
	if err != nil {
		return wrapf(err, "drop key %s", id)
	}
	return wrapf(tx.forsake(ctx, string(id)), "drop key %s", id)
}

// DropAPIKeysOf ends all keys of an owner, as DropAPIKey does.
func (tx Tx) DropAPIKeysOf(ctx context.Context, owner musa.SubjectID) error {
	var ids []string
	err := tx.get(ctx, &ids, "DELETE FROM api_keys WHERE subject = ? RETURNING id", owner)
	if err == nil {
		err = tx.forsake(ctx, ids...)
	}
	return wrapf(err, "drop keys of %s", owner)
}

// DropExpiredAPIKeys removes up to limit keys whose end has come, with their names.
func (tx Tx) DropExpiredAPIKeys(ctx context.Context, limit int) (int, error) {
	var ids []string
	err := tx.get(ctx, &ids, "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE expires <= ? ORDER BY expires LIMIT ?) RETURNING id", tx.Now, limit)
	if err == nil {
		err = tx.strand(ctx, ids...)
	}
	return len(ids), wrapf(err, "drop expired keys")
}
