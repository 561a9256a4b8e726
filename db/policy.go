package db

import (
	"bytes"
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"musa"
)

// PolicyVersion is one published policy document. Records keep the version they were
// made under.
//
// Category: technical.
type PolicyVersion struct {
	bun.BaseModel `bun:"table:policy_versions"`

	Version   string `bun:",pk"`
	SHA256    []byte `bun:"sha256"`
	Document  string
	Published musa.Millis
	Effective musa.Millis
}

var policyTable = Table{Name: "policy_versions", Category: Technical,
	Columns: columns(Technical, "version", "sha256", "document", "published", "effective")}

// PublishPolicy stores a version, once. The same version with the same bytes changes
// nothing; with other bytes it is refused as a *musa.Problem.
func (tx Tx) PublishPolicy(ctx context.Context, p PolicyVersion) error {
	p.Published = tx.Now
	n, err := tx.exec(ctx, `INSERT INTO policy_versions (version, sha256, document, published, effective)
		VALUES (?, ?, ?, ?, ?) ON CONFLICT (version) DO NOTHING`, p.Version, p.SHA256, p.Document, p.Published, p.Effective)
	if err != nil || n == 1 {
		return wrapf(err, "publish policy %s", p.Version)
	}
	have, err := tx.Policy(ctx, p.Version)
	if err != nil {
		return err
	}
	if !bytes.Equal(have.SHA256, p.SHA256) {
		return &musa.Problem{Kind: musa.ErrConflict, Code: "policy_changed", Field: "policy",
			Public: fmt.Sprintf("Policy version %s was published with other content. Raise its version, or restore the document.", p.Version)}
	}
	return nil
}

// Policy finds a version; musa.ErrNotFound.
func (tx Tx) Policy(ctx context.Context, version string) (PolicyVersion, error) {
	var p PolicyVersion
	err := tx.get(ctx, &p, "SELECT * FROM policy_versions WHERE version = ?", version)
	return p, wrapf(err, "policy %s", version)
}

// Policies lists all versions, the newest first.
func (tx Tx) Policies(ctx context.Context) ([]PolicyVersion, error) {
	var list []PolicyVersion
	err := tx.get(ctx, &list, "SELECT * FROM policy_versions ORDER BY effective DESC, published DESC, version DESC")
	return list, wrapf(err, "policies")
}
