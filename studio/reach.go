package studio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"musa"
	"musa/db"
	"musa/engine"
	"musa/policy"
)

// Reach refuses an engine that would send what is an owner's to a processor that the policy does
// not name for the work, or that the owner's workspace does not allow. It is asked when an order
// is planned and again before it runs: a workspace may have changed its mind meanwhile. Policy
// processors and organisation.may_enforce. Promise C-35.
func Reach(ctx context.Context, tx db.Tx, doc *policy.Document, owner musa.SubjectID, e engine.Engine) error {
	name := engine.Processor(e)
	if name == "" {
		return nil
	}
	if line, ok := doc.Processors.Get(name); !ok || !line.For.Has(string(musa.PurposeGenerate)) {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "processor_undeclared", Field: "engine",
			Public: "The privacy policy names no partner for this engine, so nothing is sent to it. Choose another engine."}
	}
	s, err := tx.Subject(ctx, owner)
	if err != nil || s.Kind != musa.SubjectWorkspace {
		return err
	}
	w, err := tx.Workspace(ctx, owner)
	if err != nil {
		return err
	}
	if w.Processors != "" && !slices.Contains(strings.Fields(w.Processors), name) {
		return &musa.Problem{Kind: musa.ErrRefused, Code: "processor_not_allowed", Field: "engine",
			Public: "This workspace does not allow the partner behind this engine. Choose another engine, or ask an admin."}
	}
	return nil
}

// reach asks Reach by itself.
func (s *Studio) reach(ctx context.Context, by musa.Actor, e engine.Engine) error {
	if engine.Processor(e) == "" {
		return nil
	}
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return Reach(ctx, tx, s.Policy(), by.Subject, e) })
	if err != nil {
		return fmt.Errorf("engine %s for %s: %w", e.Name(), by.Subject, err)
	}
	return nil
}
