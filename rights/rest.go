package rights

import (
	"context"

	"musa"
	"musa/db"
)

// rest adds everything that is no picture and no job: of a whole account all of it, of one
// picture what was said about it.
func (x *export) rest(ctx context.Context) error {
	scope, _ := x.parcel.scope()
	if scope == scopeAsset {
		return x.about(ctx)
	}
	if scope != scopeAccount {
		return nil
	}
	for _, step := range []func(context.Context) error{x.ledger, x.sessions, x.parts, x.receipts, x.seen, x.holdings} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// parts adds a file for each category that has no form of its own. Credentials are never
// part of an export (policy categories.credential.never_export).
func (x *export) parts(ctx context.Context) error {
	doc := x.Policy()
	for _, c := range musa.Categories() {
		line, known := doc.Categories.Get(string(c))
		if !known || line.NeverExport.On() || partOf(c) != string(c)+".json" {
			continue
		}
		p, any, err := x.part(ctx, x.by, c)
		if err != nil {
			return err
		}
		if any {
			if err := x.box.json(partOf(c), x.made, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// about adds the records that speak of one picture.
func (x *export) about(ctx context.Context) error {
	p, _, err := x.part(ctx, x.by, musa.CategoryFeedback)
	if err != nil {
		return err
	}
	p.Rows = []map[string]any{}
	var of []Sealed
	for _, s := range p.Records {
		if s.Asset == string(x.parcel.Asset) {
			of = append(of, s)
		}
	}
	if p.Records = of; len(of) == 0 {
		return nil
	}
	return x.box.json(partOf(musa.CategoryFeedback), x.made, p)
}

func (x *export) ledger(ctx context.Context) error {
	return x.box.list(fileLedger, x.made, func(add func(any) error) error {
		for after := musa.EntryID(""); ; {
			var page []db.LedgerEntry
			err := x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
				page, err = tx.EntriesOf(ctx, x.by.Subject, after, rowPage)
				return err
			})
			if err != nil {
				return err
			}
			for _, e := range page {
				after = e.ID
				if err := add(Entry{ID: string(e.ID), Kind: string(e.Kind), Job: string(e.Job), Amount: e.Amount, Held: e.Held, At: e.Created.Time()}); err != nil {
					return err
				}
			}
			if len(page) < rowPage {
				return nil
			}
		}
	})
}

// sessions tells which devices are signed in, and nothing that signs them in.
func (x *export) sessions(ctx context.Context) error {
	var list []db.Session
	err := x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		list, err = tx.SessionsOf(ctx, x.by.Subject)
		return err
	})
	if err != nil {
		return err
	}
	out := make([]Device, len(list))
	for i, s := range list {
		out[i] = Device{ID: string(s.ID), Created: s.Created.Time(), LastSeen: instant(s.LastSeen), Expires: instant(s.Expires), Device: string(s.Device)}
	}
	return x.box.json(fileSessions, x.made, out)
}

// receipts adds the proof of each erasure that the person ordered or the policy brought.
func (x *export) receipts(ctx context.Context) error {
	return x.box.list(fileReceipts, x.made, func(add func(any) error) error {
		for after := musa.ReceiptID(""); ; {
			var page []db.Receipt
			err := x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
				page, err = tx.ReceiptsOf(ctx, x.by.Subject, after, exportPage)
				return err
			})
			if err != nil {
				return err
			}
			for _, row := range page {
				after = row.ID
				i, err := x.Receipt(ctx, x.by, row.ID)
				if err != nil {
					return err
				}
				if err := add(Proof{Receipt: i.Receipt, Capability: i.Capability, Verifier: i.Verifier, Logged: i.Logged}); err != nil {
					return err
				}
			}
			if len(page) < exportPage {
				return nil
			}
		}
	})
}

// seen tells who else opened what is the person's, and what is held of it.
func (x *export) seen(ctx context.Context) error {
	out := Seen{Uses: []Seeing{}, Held: []Holding{}}
	for after := musa.AuditID(""); ; {
		var page []db.Use
		var holds []db.Hold
		err := x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			if page, err = tx.Uses(ctx, x.by.Subject, after, rowPage); err != nil {
				return err
			}
			holds, err = tx.HoldsOn(ctx, x.by.Subject)
			return err
		})
		if err != nil {
			return err
		}
		for _, u := range page {
			after = u.ID
			out.Uses = append(out.Uses, Seeing{At: u.At.Time(), Role: string(u.Role), Purpose: string(u.Purpose), Item: u.Object})
		}
		if len(page) == rowPage {
			continue
		}
		for _, h := range holds {
			out.Held = append(out.Held, Holding{Asset: string(h.Asset), State: string(h.State), Opened: h.Opened.Time(), Ends: instant(h.Ends), Released: instant(h.Released)})
		}
		return x.box.json(fileSeen, x.made, out)
	}
}

func (x *export) holdings(ctx context.Context) error {
	h, err := x.Holdings(ctx, x.by, x.words.Tag())
	if err != nil {
		return err
	}
	return x.box.json(fileHoldings, x.made, h)
}
