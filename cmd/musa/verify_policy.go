package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"musa"
	"musa/policies"
	"musa/policy"
)

// fallback is the policy of a store that took none up yet.
const fallback = "studio"

// bounds is the policy that a store is judged by: the one that is named, or the one in force in the
// store, which its server keeps to.
func (c *VerifyCmd) bounds(ctx context.Context, s *verifyStore, now musa.Millis) (*policy.Document, error) {
	if c.Policy != "" {
		return policies.Load(c.Policy, os.ReadFile)
	}
	rows, err := s.SQL.QueryContext(ctx, `SELECT a.version, a.published, a.effective, p.document
		FROM adoptions AS a JOIN policy_versions AS p ON p.version = a.version ORDER BY a.seq`)
	if err != nil {
		return nil, fmt.Errorf("read policy versions: %w", err)
	}
	defer rows.Close()
	var taken []policy.Adoption
	for rows.Next() {
		var a policy.Adoption
		var version, text string
		if err := rows.Scan(&version, &a.Published, &a.Effective, &text); err != nil {
			return nil, fmt.Errorf("read policy versions: %w", err)
		}
		if a.Doc, _, err = policy.ParseStored(version, []byte(text)); err != nil {
			return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "policy_unreadable", Field: "policy", Cause: err,
				Public: "A policy version of this store cannot be read. Name the policy to judge by with --policy; `musa verify` then says whether the stored one was changed."}
		}
		taken = append(taken, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read policy versions: %w", err)
	}
	versions, err := policy.NewVersions(taken...)
	if errors.Is(err, musa.ErrInvalid) {
		return policies.Load(fallback, os.ReadFile)
	}
	if err != nil {
		return nil, err
	}
	return versions.InForce(now), nil
}
