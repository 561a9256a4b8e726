package retention

import (
	"context"

	"musa/db"
)

// vouchers forgets secrets that were sent to somebody and not used in their time, with what they
// were for.
func (k *Keeper) vouchers(ctx context.Context, tx db.Tx) (int, error) {
	ids, err := tx.ExpiredVouchers(ctx, batch)
	if err != nil {
		return 0, err
	}
	return len(ids), tx.DropVouchers(ctx, ids...)
}

// limits forgets counted tries whose time is over: a day at most, which is sooner than any policy
// ends its security log.
func (k *Keeper) limits(ctx context.Context, tx db.Tx) (int, error) {
	return tx.DropLimits(ctx, batch)
}
