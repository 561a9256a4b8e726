package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"musa"
	"musa/audit"
	"musa/proof"
)

// Kinds of fault that need the log's public key to be found.
const (
	auditBroken    = "audit_broken"    // an event was changed, exchanged or taken out
	auditCut       = "audit_cut"       // the beginning or the end is missing
	auditSignature = "signature_wrong" // not signed by this instance
)

// AuditCmd is `musa audit`.
type AuditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Walk the chain of events and name the first that is broken. Exit 1 if one is."`
}

type auditVerifyCmd struct {
	verifySource
}

// Run walks the whole chain.
func (c *auditVerifyCmd) Run(ctx context.Context, out io.Writer) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	report := verifyReport{Faults: []proof.Fault{}, LookedAt: proof.Tally{}}
	err = s.chain(ctx, func(f proof.Fault) {
		report.Faults = append(report.Faults, f)
		if !c.JSON {
			verifyPrint(out, f)
		}
	}, report.LookedAt)
	if err != nil {
		return err
	}
	report.Clean = len(report.Faults) == 0
	return verifyEnd(out, report, c.JSON)
}

// checks are the looks that need signatures, which proof itself must not know.
func (s *verifyStore) checks() []proof.Check {
	return []proof.Check{
		{Name: "audit chain", Level: proof.Whole, Run: func(ctx context.Context, found func(proof.Fault)) error {
			return s.chain(ctx, found, proof.Tally{})
		}},
		{Name: "signed checkpoints", Level: proof.Whole, Run: s.checkpoints},
	}
}

func (s *verifyStore) checkpoints(ctx context.Context, found func(proof.Fault)) error {
	for n, err := range s.Checkpoints(ctx) {
		if err != nil {
			return err
		}
		if _, err := audit.OpenCheckpoint([]byte(n.Text), s.verifier); err != nil {
			found(proof.Fault{Kind: auditSignature, Where: "checkpoints", ID: fmt.Sprint(n.Seq), Words: "is not signed by this instance"})
		}
	}
	return nil
}

// heads opens the signed ends of the chain. They are read before the events: a chain that
// grows meanwhile is longer than they say, never shorter.
func (s *verifyStore) heads(ctx context.Context, found func(proof.Fault)) (map[int64]audit.Head, audit.Head, error) {
	heads, last := map[int64]audit.Head{}, audit.Head{}
	for n, err := range s.Heads(ctx) {
		if err != nil {
			return nil, last, err
		}
		head, err := audit.OpenHead([]byte(n.Text), s.verifier)
		if err != nil || head.Seq != n.Seq || string(head.Hash[:]) != string(n.Hash) {
			found(proof.Fault{Kind: auditSignature, Where: "audit_heads", ID: fmt.Sprint(n.Seq), Words: "is not what this instance signed"})
			continue
		}
		heads[head.Seq], last = head, head
	}
	return heads, last, nil
}

// chain walks the events from the oldest that is kept to the newest, and compares each
// signed head on the way.
func (s *verifyStore) chain(ctx context.Context, found func(proof.Fault), tally proof.Tally) error {
	heads, last, err := s.heads(ctx, found)
	if err != nil {
		return err
	}
	fault := func(kind string, seq int64, words string) {
		found(proof.Fault{Kind: kind, Where: "audit_events", ID: fmt.Sprint(seq), Words: words})
	}
	first, exhausted := audit.Head{}, false
	walk := func(yield func(audit.Event, error) bool) {
		for e, err := range s.auditEvents(ctx, first.Seq) {
			if !yield(e, err) {
				return
			}
			tally["audit events"]++
			if h, ok := heads[e.Seq]; ok && h.Hash != e.Hash {
				fault(auditBroken, e.Seq, "is not the one that was signed")
			}
		}
		exhausted = true
	}
	for e, err := range s.auditEvents(ctx, 0) {
		if err != nil {
			return err
		}
		// Whole segments are forgotten after their time; the signed head before the oldest
		// event says what it follows.
		if h, ok := heads[e.Seq-1]; ok {
			first = h
		} else if e.Seq != 1 {
			fault(auditCut, e.Seq-1, "and all before it are missing, and no signed head says how they ended")
			return nil
		}
		break
	}
	_, err = audit.Verify(first, walk, last)
	var broken *audit.Fault
	switch {
	case errors.As(err, &broken) && exhausted:
		fault(auditCut, broken.Seq, broken.What)
	case errors.As(err, &broken):
		fault(auditBroken, broken.Seq, broken.What)
	default:
		return err
	}
	return nil
}

// auditEvents turns rows into what package audit chains. A hash of a wrong length becomes
// one of zeros, which no event has.
func (s *verifyStore) auditEvents(ctx context.Context, after int64) iter.Seq2[audit.Event, error] {
	return func(yield func(audit.Event, error) bool) {
		for r, err := range s.Events(ctx, after) {
			e := audit.Event{ID: musa.AuditID(r.ID), At: r.At, Action: r.Action, Role: musa.Role(r.Role), Subject: musa.SubjectID(r.Subject),
				Object: r.Object, Sealed: r.Sealed, Seq: r.Seq}
			if len(r.Prev) == len(e.Prev) && len(r.Hash) == len(e.Hash) {
				e.Prev, e.Hash = audit.Hash(r.Prev), audit.Hash(r.Hash)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}
