package proof

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"slices"

	"musa"
)

// Kinds of fault about items, their keys and their owners.
const (
	FaultKeySurvives  = "key_survives"       // something erased still opens
	FaultKeyMissing   = "key_missing"        // something active does not open
	FaultKeyStray     = "key_without_item"   // a key of nothing
	FaultKeyMisplaced = "key_misplaced"      // wrapped for another than the owner
	FaultOwner        = "owner_missing"      // of nobody
	FaultOutlives     = "outlives_owner"     // active, its owner erased
	FaultEnd          = "end_wrong"          // not the earlier of its two ends
	FaultState        = "state_wrong"        // state and times contradict
	FaultCategory     = "category_unknown"   // nothing in the policy ends it
	FaultVersion      = "policy_unknown"     // of a version that was never published
	FaultPolicy       = "policy_changed"     // the document is not the one published
	FaultUses         = "uses_wrong"         // not the number of open jobs that use it
	FaultBytes        = "bytes_wrong"        // not the sum of its blobs
	FaultHollow       = "asset_without_blob" // active with nothing stored
	FaultReceipt      = "receipt_missing"    // purged without a receipt
	FaultPurgedBlob   = "blob_of_purged"     // purged with something stored
	FaultEdge         = "edge_dangling"      // lineage of what is not there
	FaultSignedIn     = "session_survives"   // a session, login or key of an erased owner
)

// item is what assets and records have in common.
type item struct {
	id, owner, category, state, version string
	due, ordered, ends, erased          musa.Millis
	ownerState, keyOwner                sql.NullString
	ownerClosed                         sql.NullInt64
	key                                 bool
}

// check judges what holds for both.
func (r *round) item(where string, i item) {
	fault := func(kind string, since musa.Millis, words string) {
		r.report(Fault{Kind: kind, Where: where, ID: i.id, Since: since, Words: words})
	}
	active := i.state == string(musa.AssetActive)
	switch {
	case !active && i.key:
		fault(FaultKeySurvives, i.erased, "is erased by its row, and its key is still there: it can be opened")
	case active && !i.key:
		fault(FaultKeyMissing, 0, "is active, and its key is gone: nobody can open it")
	case i.key && i.keyOwner.String != i.owner:
		fault(FaultKeyMisplaced, 0, "its key is kept for another owner")
	}
	switch {
	case active && !i.ownerState.Valid:
		fault(FaultOwner, 0, "belongs to nobody: erasing its owner would not reach it")
	case active && i.ownerState.String == string(musa.SubjectErased) && musa.Millis(i.ownerClosed.Int64) < r.ago(r.EraseWithin):
		fault(FaultOutlives, musa.Millis(i.ownerClosed.Int64), "is active, and its owner is erased")
	}
	if active && i.ends != earlier(i.due, i.ordered) {
		fault(FaultEnd, 0, "its end is not the earlier of the policy's and the owner's")
	}
	if active != (i.erased == 0) || !slices.Contains([]string{"active", "erased", "purged"}, i.state) {
		fault(FaultState, i.erased, "its state and its times contradict each other")
	}
	if len(r.Categories) > 0 && !slices.Contains(r.Categories, musa.Category(i.category)) {
		fault(FaultCategory, 0, "its category stands in no policy: no rule ends it")
	}
}

// earlier is the sooner of two instants, of which 0 is none.
func earlier(a, b musa.Millis) musa.Millis {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// joined adds to a page of items what they hang on.
const joined = `p.id, p.owner, p.category, p.state, p.policy_version, p.due, p.ordered, p.ends, p.erased, o.state, o.closed, s.subject,
	CASE WHEN s.id IS NULL THEN 0 ELSE 1 END, CASE WHEN v.version IS NULL THEN 0 ELSE 1 END`

const joins = ` LEFT JOIN subjects AS o ON o.id = p.owner LEFT JOIN secrets AS s ON s.id = p.id AND length(s.wrapped) > 0
	LEFT JOIN policy_versions AS v ON v.version = p.policy_version`

func (i *item) fields(key, version *int) []any {
	return []any{&i.id, &i.owner, &i.category, &i.state, &i.version, &i.due, &i.ordered, &i.ends, &i.erased,
		&i.ownerState, &i.ownerClosed, &i.keyOwner, key, version}
}

func (r *round) assets(ctx context.Context, found func(Fault)) error {
	return r.walk(ctx, "assets", `WITH page AS (SELECT * FROM assets WHERE id > $1 ORDER BY id LIMIT $2)
		SELECT `+joined+`, p.purged, p.bytes, p.uses, CASE WHEN k.subject IS NULL THEN 0 ELSE 1 END,
		(SELECT COUNT(*) FROM blobs AS b WHERE b.asset = p.id),
		(SELECT COUNT(*) FROM blobs AS b WHERE b.asset = p.id AND b.role = 'full' AND b.state = 'live'),
		(SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM blobs AS b WHERE b.asset = p.id AND b.state = 'live'),
		(SELECT COUNT(DISTINCT i.job) FROM job_inputs AS i JOIN jobs AS j ON j.id = i.job WHERE i.asset = p.id AND j.state IN ('queued', 'running')),
		(SELECT COUNT(*) FROM receipts AS t WHERE t.item = p.id)
		FROM page AS p`+joins+` LEFT JOIN subject_keys AS k ON k.subject = p.owner AND length(k.wrapped) > 0 ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var i item
			var key, version, subjectKey, blobs, full, uses, used, receipts int
			var purged musa.Millis
			var bytes, sum int64
			err := rows.Scan(append(i.fields(&key, &version), &purged, &bytes, &uses, &subjectKey, &blobs, &full, &sum, &used, &receipts)...)
			if err != nil {
				return nil, err
			}
			i.key = key > 0
			r.item("assets", i)
			fault := func(kind string, words string) {
				found(Fault{Kind: kind, Where: "assets", ID: i.id, Since: purged, Words: words})
			}
			active, gone := i.state == string(musa.AssetActive), i.state == string(musa.AssetPurged)
			if version == 0 {
				fault(FaultVersion, "is kept under a policy version that was never published")
			}
			if gone != (purged > 0) {
				fault(FaultState, "its state and its times contradict each other")
			}
			if active && full == 0 {
				fault(FaultHollow, "is active, and no row says where its bytes lie")
			} else if active && bytes != sum {
				fault(FaultBytes, "counts other bytes against its owner's quota than its blobs have")
			}
			if active && uses != used {
				fault(FaultUses, "says that another number of open jobs uses it than do")
			}
			if gone && blobs > 0 {
				fault(FaultPurgedBlob, "is purged by its row, and still has blobs")
			}
			if gone && receipts == 0 && subjectKey > 0 {
				fault(FaultReceipt, "is purged, and its owner has no receipt")
			}
			return []any{i.id}, nil
		})
}

func (r *round) records(ctx context.Context, found func(Fault)) error {
	return r.walk(ctx, "records", `WITH page AS (SELECT * FROM records WHERE id > $1 ORDER BY id LIMIT $2)
		SELECT `+joined+` FROM page AS p`+joins+` ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var i item
			var key, version int
			if err := rows.Scan(i.fields(&key, &version)...); err != nil {
				return nil, err
			}
			i.key = key > 0
			r.item("records", i)
			if version == 0 {
				found(Fault{Kind: FaultVersion, Where: "records", ID: i.id, Words: "is kept under a policy version that was never published"})
			}
			return []any{i.id}, nil
		})
}

// stray walks what hangs on nothing: the query gives a key and whether it hangs.
func (r *round) stray(ctx context.Context, f Fault, query string) error {
	return r.walk(ctx, f.Where, query, byID, func(rows *sql.Rows) ([]any, error) {
		var id string
		var hangs int
		if err := rows.Scan(&id, &hangs); err != nil {
			return nil, err
		}
		if hangs == 0 {
			f.ID = id
			r.report(f)
		}
		return []any{id}, nil
	})
}

func (r *round) secrets(ctx context.Context, _ func(Fault)) error {
	return r.stray(ctx, Fault{Kind: FaultKeyStray, Where: "secrets", Words: "a key and a sealed record of an item that has no row: nothing ends them"},
		`WITH page AS (SELECT id FROM secrets WHERE length(wrapped) > 0 AND id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, CASE WHEN a.id IS NULL AND c.id IS NULL AND l.id IS NULL AND v.id IS NULL AND k.id IS NULL THEN 0 ELSE 1 END FROM page AS p
		LEFT JOIN assets AS a ON a.id = p.id LEFT JOIN records AS c ON c.id = p.id LEFT JOIN logins AS l ON l.id = p.id
		LEFT JOIN vouchers AS v ON v.id = p.id LEFT JOIN api_keys AS k ON k.id = p.id ORDER BY p.id`)
}

func (r *round) subjects(ctx context.Context, found func(Fault)) error {
	err := r.walk(ctx, "subjects", `WITH page AS (SELECT * FROM subjects WHERE id > $1 ORDER BY id LIMIT $2)
		SELECT p.id, p.state, p.closed, CASE WHEN k.subject IS NULL THEN 0 ELSE 1 END,
		(SELECT COUNT(*) FROM sessions AS s WHERE s.subject = p.id) + (SELECT COUNT(*) FROM logins AS l WHERE l.subject = p.id)
		+ (SELECT COUNT(*) FROM vouchers AS v WHERE v.subject = p.id) + (SELECT COUNT(*) FROM api_keys AS a WHERE a.subject = p.id),
		(SELECT COUNT(*) FROM suspensions AS z WHERE z.subject = p.id)
		FROM page AS p LEFT JOIN subject_keys AS k ON k.subject = p.id AND length(k.wrapped) > 0 ORDER BY p.id`, byID,
		func(rows *sql.Rows) ([]any, error) {
			var id, state string
			var closed musa.Millis
			var key, ways, aside int
			if err := rows.Scan(&id, &state, &closed, &key, &ways, &aside); err != nil {
				return nil, err
			}
			erased := state == string(musa.SubjectErased)
			fault := func(kind, words string) {
				found(Fault{Kind: kind, Where: "subjects", ID: id, Since: closed, Words: words})
			}
			switch {
			case erased && key > 0:
				fault(FaultKeySurvives, "is erased by its row, and its key is still there: what it owned can be opened")
			case !erased && key == 0:
				fault(FaultKeyMissing, "is not erased, and its key is gone: nothing it owns opens")
			}
			if erased && ways > 0 {
				fault(FaultSignedIn, "is erased, and still signed in, or has what signs in")
			}
			open := state == "active" || state == "suspended"
			if !open && state != "closed" && !erased || open != (closed == 0) || state == "suspended" && aside == 0 || state == "active" && aside > 0 {
				fault(FaultState, "its state and its times contradict each other")
			}
			return []any{id}, nil
		})
	if err != nil {
		return err
	}
	for _, where := range []string{"addresses", "workspaces", "affected"} {
		err := r.stray(ctx, Fault{Kind: FaultOwner, Where: where, Words: "is of an account that is not there: erasing an account would not reach it"},
			`WITH page AS (SELECT DISTINCT subject FROM `+where+` WHERE subject > $1 ORDER BY subject LIMIT $2)
			SELECT p.subject, CASE WHEN s.id IS NULL OR s.state = 'erased' THEN 0 ELSE 1 END
			FROM page AS p LEFT JOIN subjects AS s ON s.id = p.subject ORDER BY p.subject`)
		if err != nil {
			return err
		}
	}
	return r.stray(ctx, Fault{Kind: FaultKeyStray, Where: "subject_keys", Words: "the key of an owner that has no row: nothing ends it"},
		`WITH page AS (SELECT subject FROM subject_keys WHERE length(wrapped) > 0 AND subject > $1 ORDER BY subject LIMIT $2)
		SELECT p.subject, CASE WHEN s.id IS NULL THEN 0 ELSE 1 END FROM page AS p LEFT JOIN subjects AS s ON s.id = p.subject ORDER BY p.subject`)
}

// edges looks for lineage and inputs of what is not there any more.
func (r *round) edges(ctx context.Context, _ func(Fault)) error {
	err := r.stray(ctx, Fault{Kind: FaultEdge, Where: "sources", Words: "says what it was made from, and one of the two has no row"},
		`WITH page AS (SELECT DISTINCT asset AS id FROM sources WHERE asset > $1 ORDER BY asset LIMIT $2)
		SELECT p.id, CASE WHEN a.id IS NULL OR EXISTS (SELECT 1 FROM sources AS s LEFT JOIN assets AS b ON b.id = s.source
		WHERE s.asset = p.id AND b.id IS NULL) THEN 0 ELSE 1 END FROM page AS p LEFT JOIN assets AS a ON a.id = p.id ORDER BY p.id`)
	if err != nil {
		return err
	}
	return r.stray(ctx, Fault{Kind: FaultEdge, Where: "job_inputs", Words: "lists inputs of a job that has no row"},
		`WITH page AS (SELECT DISTINCT job AS id FROM job_inputs WHERE job > $1 ORDER BY job LIMIT $2)
		SELECT p.id, CASE WHEN j.id IS NULL THEN 0 ELSE 1 END FROM page AS p LEFT JOIN jobs AS j ON j.id = p.id ORDER BY p.id`)
}

func (r *round) policies(ctx context.Context, found func(Fault)) error {
	return r.walk(ctx, "policy_versions", "SELECT version, sha256, document FROM policy_versions WHERE version > $1 ORDER BY version LIMIT $2", byID,
		func(rows *sql.Rows) ([]any, error) {
			var version, document string
			var want []byte
			if err := rows.Scan(&version, &want, &document); err != nil {
				return nil, err
			}
			if sum := sha256.Sum256([]byte(document)); string(sum[:]) != string(want) {
				found(Fault{Kind: FaultPolicy, Where: "policy_versions", ID: version, Words: "the document is not the one that was published as this version"})
			}
			return []any{version}, nil
		})
}

// adoptions looks for a version that the store follows and whose document it does not have.
func (r *round) adoptions(ctx context.Context, _ func(Fault)) error {
	return r.stray(ctx, Fault{Kind: FaultVersion, Where: "adoptions", Words: "was taken up, and no such version was ever published: nobody can say what it promised"},
		`WITH page AS (SELECT DISTINCT version AS id FROM adoptions WHERE version > $1 ORDER BY version LIMIT $2)
		SELECT p.id, CASE WHEN v.version IS NULL THEN 0 ELSE 1 END FROM page AS p LEFT JOIN policy_versions AS v ON v.version = p.id ORDER BY p.id`)
}
