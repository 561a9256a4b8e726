package proof

import (
	"context"
	"database/sql"

	"musa"
)

// Kinds of fault about what is held for compliance.
const (
	FaultHoldStale  = "hold_opening"          // its copy was never made, and a key is kept for it
	FaultHoldReview = "hold_unreviewed"       // nobody looked again in time
	FaultHoldEmpty  = "hold_without_evidence" // held, and nothing is
	FaultHoldAlone  = "hold_released_alone"   // let go by fewer than two persons before its end
	FaultHoldEnd    = "hold_end_wrong"        // not the end of its copy
	FaultHoldTold   = "hold_told"             // to stay unknown to the owner, whose log tells it
	FaultHoldLives  = "hold_copy_survives"    // released, and its copy is still there
	FaultEvidence   = "evidence_without_hold" // kept longer than its rule, for nothing
	FaultCustody    = "custody_wrong"         // evidence that is not in custody
	FaultStaff      = "role_without_person"   // a role of nobody
)

// holdOpening is how long a hold may be opening: ten minutes, and until the next sweep.
const holdOpening = staleWrite + sequencing

func (r *round) lateHolds(ctx context.Context, _ func(Fault)) error {
	return r.list(ctx,
		listing{FaultHoldStale, "holds", "began to open long ago: an asset's key is kept beyond its end for a copy that nobody makes",
			`SELECT opened, id FROM holds WHERE state = 'opening' AND (opened, id) > ($1, $2) AND opened < $4 ORDER BY opened, id LIMIT $3`, r.ago(holdOpening)},
		listing{FaultHoldReview, "holds", "should have been looked at again by now: nobody says whether it is still needed",
			`SELECT review, id FROM holds WHERE state = 'held' AND (review, id) > ($1, $2) AND review < $4 ORDER BY review, id LIMIT $3`, r.ago(housework)})
}

// holds judges each hold together with its copy.
func (r *round) holds(ctx context.Context, found func(Fault)) error {
	err := r.walk(ctx, "holds", `WITH page AS (SELECT * FROM holds WHERE id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, p.state, p.opened, p.ends, p.released, p.release_by, p.released_by, p.evidence, a.state, a.category, a.ends,
		(SELECT COUNT(*) FROM audit_events AS e WHERE p.untold AND e.subject = p.owner AND (e.object = p.id OR (e.object = p.evidence AND p.evidence <> '')))
		FROM page AS p LEFT JOIN assets AS a ON a.id = p.evidence ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var h heldRow
			err := rows.Scan(&h.id, &h.state, &h.opened, &h.ends, &h.released, &h.asked, &h.releasedBy, &h.evidence, &h.copyState, &h.copyCategory, &h.copyEnds, &h.told)
			if err == nil {
				r.hold(h)
			}
			return []any{h.id}, err
		})
	if err != nil {
		return err
	}
	if err := r.evidence(ctx, found); err != nil {
		return err
	}
	return r.stray(ctx, Fault{Kind: FaultStaff, Where: "roles", Words: "a role that nobody can hold: its person is not there, or is no open account"},
		`WITH page AS (SELECT DISTINCT subject FROM roles WHERE subject > $1 ORDER BY subject LIMIT $2)
		SELECT p.subject, CASE WHEN s.kind = 'person' AND s.state <> 'erased' THEN 1 ELSE 0 END FROM page AS p LEFT JOIN subjects AS s ON s.id = p.subject ORDER BY p.subject`)
}

// evidence judges each held copy by itself.
func (r *round) evidence(ctx context.Context, found func(Fault)) error {
	return r.walk(ctx, "evidence", `WITH page AS (SELECT id, owner FROM assets WHERE category = 'evidence' AND state = 'active' AND id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, CASE WHEN EXISTS (SELECT 1 FROM holds AS h WHERE h.evidence = p.id) THEN 1 ELSE 0 END,
		CASE WHEN s.kind = 'custody' AND s.state = 'active' AND k.subject IS NOT NULL THEN 1 ELSE 0 END FROM page AS p
		LEFT JOIN subjects AS s ON s.id = p.owner LEFT JOIN subject_keys AS k ON k.subject = p.owner AND length(k.wrapped) > 0 ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var id string
			var held, custody int
			if err := rows.Scan(&id, &held, &custody); err != nil {
				return nil, err
			}
			if held == 0 {
				found(Fault{Kind: FaultEvidence, Where: "assets", ID: id, Words: "is kept as evidence, and no hold says what for"})
			}
			if custody == 0 {
				found(Fault{Kind: FaultCustody, Where: "assets", ID: id, Words: "is kept as evidence, and its owner is not the custody, or has no key"})
			}
			return []any{id}, nil
		})
}

// heldRow is a hold with what its copy says.
type heldRow struct {
	id, state, asked, releasedBy, evidence string
	opened, ends, released                 musa.Millis
	copyState, copyCategory                sql.NullString
	copyEnds                               sql.NullInt64
	told                                   int
}

func (r *round) hold(h heldRow) {
	fault := func(kind string, since musa.Millis, words string) {
		r.report(Fault{Kind: kind, Where: "holds", ID: h.id, Since: since, Words: words})
	}
	active := h.copyState.String == string(musa.AssetActive)
	switch musa.HoldState(h.state) {
	case musa.HoldHeld:
		// A copy that reached its end is taken note of by the next sweep.
		switch ended := h.ends > 0 && h.ends <= r.Now; {
		case !ended && (!active || h.copyCategory.String != string(musa.CategoryEvidence)):
			fault(FaultHoldEmpty, h.opened, "says that something is held, and there is no such copy")
		case active && musa.Millis(h.copyEnds.Int64) != h.ends:
			fault(FaultHoldEnd, 0, "ends at another moment than its copy")
		}
	case musa.HoldReleased:
		if h.released == 0 || (h.released < h.ends && (h.asked == "" || h.releasedBy == "" || h.asked == h.releasedBy)) {
			fault(FaultHoldAlone, h.released, "was let go before its end, and not by two persons")
		}
		if active && h.released < r.ago(r.EraseWithin) {
			fault(FaultHoldLives, h.released, "is released, and its copy can still be opened")
		}
	case musa.HoldOpening:
		if h.evidence != "" || h.released > 0 {
			fault(FaultState, h.opened, "its state and its copy contradict each other")
		}
	default:
		fault(FaultState, h.opened, "is in a state that does not exist")
	}
	if h.told > 0 {
		fault(FaultHoldTold, h.opened, "is to stay unknown to the owner, and the log tells it under their name")
	}
}
