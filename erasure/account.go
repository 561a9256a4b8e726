package erasure

import (
	"context"
	"encoding/json"
	"fmt"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/policy"
	"musa/seal"
)

// Promise makes an account's receipt at its closing, in the caller's transaction: pending
// until all of the account is gone. The capability that it returns opens the receipt then
// and after.
func (e *Eraser) Promise(ctx context.Context, tx db.Tx, s db.Subject) (seal.Key, error) {
	wrapped, err := tx.SubjectKey(ctx, s.ID)
	if err != nil {
		return seal.Key{}, err
	}
	key, err := e.Vault.ReceiptKey(s.ID, wrapped, s.Receipt)
	if err != nil {
		return seal.Key{}, err
	}
	st := audit.Statement{What: audit.WhatClosed, Item: string(s.ID), Category: musa.CategoryAccount, Ordered: s.Closed, PolicyVersion: s.PolicyVersion}
	counts, err := tx.CountItems(ctx, s.ID)
	if err != nil {
		return seal.Key{}, err
	}
	for _, c := range counts {
		st.Counts = append(st.Counts, audit.Count(c))
	}
	r := db.Receipt{ID: s.Receipt, Subject: s.ID, Batch: musa.NewBatchID(tx.Now.Time()), Item: string(s.ID), Created: tx.Now, Position: db.ReceiptPending}
	if r.Sealed, r.Leaf, err = sealStatement(key, r.ID, st); err != nil {
		return seal.Key{}, err
	}
	return key, tx.InsertReceipts(ctx, r)
}

// fulfil rewrites the promised receipt as that of an erasure, while its owner's key is
// still there to open it.
func (e *Eraser) fulfil(ctx context.Context, tx db.Tx, s db.Subject, kept []audit.Kept) error {
	wrapped, err := tx.SubjectKey(ctx, s.ID)
	if err != nil {
		return err
	}
	key, err := e.Vault.ReceiptKey(s.ID, wrapped, s.Receipt)
	if err != nil {
		return err
	}
	defer key.Zero()
	r, err := tx.Receipt(ctx, s.Receipt)
	if err != nil {
		return err
	}
	plain, err := key.OpenRecord(string(r.ID), r.Sealed)
	if err != nil {
		return fmt.Errorf("open receipt %s: %w", r.ID, err)
	}
	var o opening
	if err := json.Unmarshal(plain, &o); err != nil {
		return fmt.Errorf("decode receipt %s: %w", r.ID, err)
	}
	doc := e.Policy()
	o.Statement.What, o.Statement.Erased, o.Statement.Kept = audit.WhatErased, tx.Now, kept
	o.Statement.PolicyVersion, o.Statement.Rule = doc.Ref(), doc.End(AccountItem(s)).Path
	if r.Sealed, r.Leaf, err = sealStatement(key, r.ID, o.Statement); err != nil {
		return err
	}
	return tx.RewriteReceipt(ctx, r)
}

// AccountItem is the policy's view of an account.
func AccountItem(s db.Subject) policy.Item {
	return policy.Item{ID: string(s.ID), Owner: s.ID, Category: musa.CategoryAccount, Tier: s.Tier, Created: s.Created,
		LastSeen: s.LastSeen, Closed: s.Closed, Version: s.PolicyVersion}
}

// minimum finds the rule by which the law keeps payments of a tier beyond their account;
// false where there is none.
func minimum(doc *policy.Document, tier musa.Tier) (policy.Rule, bool) {
	for _, r := range doc.Retention {
		if r.Minimum.On() && r.For.Has(string(musa.CategoryPayment)) && (len(r.Tier) == 0 || r.Tier.Has(string(tier))) {
			return r, true
		}
	}
	return policy.Rule{}, false
}

// payment is the policy's view of a payment.
func payment(tier musa.Tier, at musa.Millis) policy.Item {
	return policy.Item{Category: musa.CategoryPayment, Tier: tier, Created: at}
}
