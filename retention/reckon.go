package retention

import (
	"context"
	"fmt"

	"musa"
	"musa/db"
	"musa/policy"
	"musa/studio"
)

// Reckon shortens the stored ends of what was made under other versions of the policy,
// where the one in force ends it sooner. It never lengthens one. Reads honour the policy in
// force without it; what it moves is when the key goes.
func (k *Keeper) Reckon(ctx context.Context) error {
	doc := k.Policy()
	var asset musa.AssetID
	for ctx.Err() == nil {
		n := 0
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			page, err := tx.AssetsOfOtherVersions(ctx, doc.Ref(), asset, batch)
			if err != nil {
				return err
			}
			n = len(page)
			for _, a := range page {
				asset = a.ID
				item := studio.AssetItem(a)
				item.Stored = 0
				if sooner(doc.End(item), a.Due) {
					studio.SetEnd(doc, &a)
					if err := tx.SaveAsset(ctx, a); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reckon ends of assets: %w", err)
		}
		if n < batch {
			break
		}
	}
	return k.reckonRecords(ctx, doc)
}

func (k *Keeper) reckonRecords(ctx context.Context, doc *policy.Document) error {
	var record musa.RecordID
	for ctx.Err() == nil {
		n := 0
		err := k.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			page, err := tx.RecordsOfOtherVersions(ctx, doc.Ref(), record, batch)
			if err != nil {
				return err
			}
			n = len(page)
			for _, r := range page {
				record = r.ID
				item := studio.RecordItem(r)
				item.Stored = 0
				if sooner(doc.End(item), r.Due) {
					studio.SetRecordEnd(doc, &r)
					if err := tx.SaveRecord(ctx, r); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("reckon ends of records: %w", err)
		}
		if n < batch {
			return nil
		}
	}
	return nil
}

func sooner(end policy.End, stored musa.Millis) bool {
	return end.At > 0 && (stored == 0 || end.At < stored)
}
