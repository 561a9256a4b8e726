package conformance_test

import (
	"context"
	"testing"

	"musa"
	"musa/db"
	"musa/musatest"
)

// seat gives somebody a role in a workspace without the mail that an invitation takes.
func seat(t *testing.T, s *musatest.Studio, workspace, person musa.SubjectID, role musa.MemberRole) {
	t.Helper()
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.InsertMember(ctx, db.Member{Workspace: workspace, Subject: person, Role: role, Since: tx.Now})
	})
	if err != nil {
		t.Fatal(err)
	}
}
