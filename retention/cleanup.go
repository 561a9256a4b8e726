package retention

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"musa"
	"musa/db"
)

// CleanupState is where a picture stands in the queue.
type CleanupState = db.CleanupState

// CleanupQuery asks for a page of the cleanup queue.
type CleanupQuery struct {
	State CleanupState // of which lines are listed; empty for the counts alone
	After string       // Next of the page before, or empty
	Limit int          // lines; at most maxLines
}

// Cleanup is the cleanup queue as one consistent read saw it. Entered is always the sum of
// the others. What was purged is counted as long as its tombstone stands: 30 days.
type Cleanup struct {
	At                                        musa.Millis
	Entered, Waiting, Erasing, Purged, Failed int
	Lines                                     []CleanupLine
	Next                                      string // for the next page; empty at the end
}

// CleanupLine is one picture in the queue. Instants are 0 while they have not come.
type CleanupLine struct {
	Item     musa.AssetID
	Category musa.Category
	Due      musa.Millis
	Erased   musa.Millis
	Purged   musa.Millis
	State    db.CleanupState
	Tries    int    // failed removals so far
	Cause    string // code of the last failure
}

const maxLines = 500

// Cleanup tells the operator what is on its way out, and what is stuck and why. It names
// ids and codes, never content.
func (k *Keeper) Cleanup(ctx context.Context, q CleanupQuery) (Cleanup, error) {
	after, err := placeOf(q.After)
	if err != nil {
		return Cleanup{}, err
	}
	if q.Limit <= 0 || q.Limit > maxLines {
		q.Limit = maxLines
	}
	var out Cleanup
	err = k.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		counts, err := tx.CountCleanup(ctx)
		if err != nil {
			return err
		}
		out = Cleanup{At: tx.Now, Waiting: counts.Waiting, Erasing: counts.Erasing, Purged: counts.Purged, Failed: counts.Failed,
			Entered: counts.Waiting + counts.Erasing + counts.Purged + counts.Failed}
		if q.State == "" {
			return nil
		}
		page, err := tx.CleanupPage(ctx, q.State, after, q.Limit)
		if err != nil {
			return err
		}
		for _, l := range page {
			out.Lines = append(out.Lines, CleanupLine{Item: l.ID, Category: l.Category, Due: l.Ends, Erased: l.Erased, Purged: l.Purged,
				State: q.State, Tries: int(l.Tries), Cause: l.Cause})
		}
		return nil
	})
	if err != nil {
		return Cleanup{}, fmt.Errorf("cleanup queue: %w", err)
	}
	if len(out.Lines) == q.Limit {
		out.Next = place(out.Lines[len(out.Lines)-1])
	}
	return out, nil
}

// place names a line's place in its page's order.
func place(l CleanupLine) string {
	at := l.Erased
	switch l.State {
	case db.CleanupWaiting:
		at = l.Due
	case db.CleanupPurged:
		at = l.Purged
	}
	return strconv.FormatInt(int64(at), 10) + "." + string(l.Item)
}

func placeOf(after string) (db.CleanupPlace, error) {
	if after == "" {
		return db.CleanupPlace{}, nil
	}
	at, id, ok := strings.Cut(after, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	asset, bad := musa.ParseAssetID(id)
	if !ok || err != nil || bad != nil {
		return db.CleanupPlace{}, &musa.Problem{Kind: musa.ErrInvalid, Code: "page_unknown", Field: "after",
			Public: "This is not the end of a page. Leave it out to begin at the first."}
	}
	return db.CleanupPlace{At: musa.Millis(ms), ID: asset}, nil
}
