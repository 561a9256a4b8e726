package proof

import (
	"context"
	"database/sql"
	"slices"

	"musa"
)

// Kinds of fault about credits and jobs.
const (
	FaultLedger   = "ledger_sum"      // an account is not the sum of its entries
	FaultNegative = "ledger_negative" // an account below zero
	FaultEntries  = "ledger_account"  // entries without an account
	FaultHeld     = "hold_kept"       // an ended job still holds credits
	FaultJobHold  = "job_hold"        // an open job holds other credits than it says
	FaultTwice    = "job_ended_twice" // its credits were both spent and given back
	FaultJobState = "job_state"       // state and times contradict
)

func (r *round) ledger(ctx context.Context, found func(Fault)) error {
	err := r.walk(ctx, "ledger_accounts", `WITH page AS (SELECT * FROM ledger_accounts WHERE subject > $1 ORDER BY subject LIMIT $2)
		SELECT p.subject, p.balance, p.held,
		(SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM ledger_entries AS e WHERE e.subject = p.subject),
		(SELECT CAST(COALESCE(SUM(e.held), 0) AS BIGINT) FROM ledger_entries AS e WHERE e.subject = p.subject)
		FROM page AS p ORDER BY p.subject`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var subject string
			var balance, held, amounts, holds int64
			if err := rows.Scan(&subject, &balance, &held, &amounts, &holds); err != nil {
				return nil, err
			}
			if balance != amounts || held != holds {
				found(Fault{Kind: FaultLedger, Where: "ledger_accounts", ID: subject, Words: "its figures are not the sums of its entries"})
			}
			if balance < 0 || held < 0 {
				found(Fault{Kind: FaultNegative, Where: "ledger_accounts", ID: subject, Words: "it is below zero"})
			}
			return []any{subject}, nil
		})
	if err != nil {
		return err
	}
	err = r.stray(ctx, Fault{Kind: FaultEntries, Where: "ledger_entries", Words: "entries of an account that is not there"},
		`WITH page AS (SELECT DISTINCT subject FROM ledger_entries WHERE subject > $1 ORDER BY subject LIMIT $2)
		SELECT p.subject, CASE WHEN a.subject IS NULL THEN 0 ELSE 1 END FROM page AS p
		LEFT JOIN ledger_accounts AS a ON a.subject = p.subject ORDER BY p.subject`)
	if err != nil {
		return err
	}
	return r.walk(ctx, "ledger_entries", `WITH page AS (SELECT job, CAST(SUM(held) AS BIGINT) AS held,
			SUM(CASE WHEN kind IN ('capture', 'release') THEN 1 ELSE 0 END) AS ends
			FROM ledger_entries WHERE job <> '' AND job > $1 GROUP BY job ORDER BY job LIMIT $2)
		SELECT p.job, p.held, p.ends, COALESCE(j.state, '') FROM page AS p LEFT JOIN jobs AS j ON j.id = p.job ORDER BY p.job`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var job, state string
			var held int64
			var ends int
			if err := rows.Scan(&job, &held, &ends, &state); err != nil {
				return nil, err
			}
			fault := func(kind, words string) {
				found(Fault{Kind: kind, Where: "ledger_entries", ID: job, Words: words})
			}
			switch {
			case held < 0 || ends > 1 && held != 0:
				fault(FaultTwice, "more credits of this job were spent and given back than were set aside: it ended twice")
			case held > 0 && musa.JobState(state).Ended():
				fault(FaultHeld, "has ended or is forgotten, and its credits are still set aside")
			}
			return []any{job}, nil
		})
}

var jobStates = []string{"queued", "running", "succeeded", "failed", "blocked", "cancelled"}

func (r *round) jobs(ctx context.Context, found func(Fault)) error {
	return r.walk(ctx, "jobs", `WITH page AS (SELECT * FROM jobs WHERE id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, p.state, p.started, p.ended, p.held,
		(SELECT CAST(COALESCE(SUM(e.held), 0) AS BIGINT) FROM ledger_entries AS e WHERE e.job = p.id AND e.job <> '')
		FROM page AS p ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var id, state string
			var started, ended musa.Millis
			var held, set int64
			if err := rows.Scan(&id, &state, &started, &ended, &held, &set); err != nil {
				return nil, err
			}
			open := !musa.JobState(state).Ended()
			if !slices.Contains(jobStates, state) || open != (ended == 0) || (state == "running" || state == "succeeded") && started == 0 {
				found(Fault{Kind: FaultJobState, Where: "jobs", ID: id, Since: ended, Words: "its state and its times contradict each other"})
			}
			if open && held != set {
				found(Fault{Kind: FaultJobHold, Where: "jobs", ID: id, Words: "is open, and other credits are set aside for it than it says"})
			}
			return []any{id}, nil
		})
}
