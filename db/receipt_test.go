package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"musa"
	"musa/audit"
	"musa/db"
)

// prove takes a receipt as its holder gets it.
func (s *store) prove(t testing.TB, id musa.ReceiptID, salt audit.Salt, said audit.Statement) audit.Receipt {
	t.Helper()
	var out audit.Receipt
	read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
		r, c, proof, err := tx.ProveReceipt(ctx, id)
		out = audit.Receipt{ID: id, Statement: said, Salt: salt[:], Index: r.Position, Size: c.Size, Proof: proof, Checkpoint: c.Note}
		return err
	})
	return out
}

func TestReceiptsVerifyOffline(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		by, key := signer(t)
		type item struct {
			id   musa.ReceiptID
			salt audit.Salt
			said audit.Statement
		}
		var all []item
		for _, batch := range []int{1, 2, 13} {
			var list []db.Receipt
			for range batch {
				i := item{id: musa.NewReceiptID(start.Time()), salt: audit.Salt{byte(len(all))},
					said: audit.Statement{What: "erased", Item: string(musa.NewAssetID(start.Time())), Category: musa.CategoryOriginal, Erased: start}}
				leaf := audit.Leaf(i.salt, i.said.Bytes())
				all = append(all, i)
				list = append(list, db.Receipt{ID: i.id, Subject: "su_1", Item: i.said.Item, Created: start, Leaf: leaf[:]})
			}
			// One half is logged at once, between others that wait for it.
			now := list[:len(list)/2]
			list = list[len(list)/2:]
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertReceipts(ctx, list...) })
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.LogReceipts(ctx, by, now...) })
			err := s.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
				_, _, _, err := tx.ProveReceipt(ctx, list[0].ID)
				return err
			})
			if !errors.Is(err, musa.ErrUnavailable) {
				t.Errorf("a waiting receipt gives %v", err)
			}
			for _, want := range []int{len(list), 0} {
				write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
					n, err := tx.SequenceReceipts(ctx, 100, by)
					if n != want {
						t.Errorf("%d receipts found their place, want %d", n, want)
					}
					return err
				})
			}
		}
		for _, i := range all {
			text, err := json.Marshal(s.prove(t, i.id, i.salt, i.said))
			if err != nil {
				t.Fatal(err)
			}
			var r audit.Receipt
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			if _, err := audit.VerifyReceipt(r, key); err != nil {
				t.Errorf("receipt %s: %v", i.id, err)
			}
			r.Statement.Erased--
			if _, err := audit.VerifyReceipt(r, key); !errors.Is(err, musa.ErrInvalid) {
				t.Errorf("a forged statement gives %v", err)
			}
		}
	})
}
