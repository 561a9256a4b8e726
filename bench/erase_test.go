package bench_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"musa"
	"musa/audit"
	"musa/db"
	"musa/house"
	"musa/proof"
	"musa/seal"
)

// small accounts have so many assets each; a large one 10,000.
const (
	accounts    = 40
	smallHoard  = 10
	largeHoard  = 10_000
	largeRounds = 3
)

// BenchmarkAccount erases owners: from the call to the commit after which nothing of theirs
// opens. Goals: median ≤ 10 ms; with 10,000 assets ≤ 1 s.
func BenchmarkAccount(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h, after := newHouse(b, s), 0
		leave := func(n, rounds int) []time.Duration {
			var took []time.Duration
			for range rounds {
				who := person(b, h.DB, h.Keeper.Vault.NewSubject)
				sow(b, h, crop{owner: who.Subject, n: n, after: after})
				after += n
				took = append(took, timed(func() { unreadable(b, h, who.Subject) }))
			}
			return took
		}
		for b.Loop() {
			b.ReportMetric(ms(percentile(leave(smallHoard, accounts), 50)), "account-p50-ms")
			b.ReportMetric(ms(percentile(leave(largeHoard, largeRounds), 50)), "account-of-10000-ms")
		}
	}, embedded, mixed)
}

func unreadable(b *testing.B, h *house.House, id musa.SubjectID) {
	var gone []string
	must(b, h.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		gone, err = h.Eraser.Subject(ctx, tx, id)
		return err
	}))
	must(b, h.Eraser.Drop(gone))
}

// BenchmarkVerify asks a store with many rows what is overdue: once nothing is, and once a
// thousand are. Goal: ≤ 1 s at 10,000,000 rows.
func BenchmarkVerify(b *testing.B) {
	const late = 1000
	on(b, func(b *testing.B, s stores) {
		h := newHouse(b, s)
		who := person(b, h.DB, h.Keeper.Vault.NewSubject)
		sow(b, h, crop{owner: who.Subject, n: *living})
		for b.Loop() {
			b.ReportMetric(ms(timed(func() { look(b, h, 0) })), "nothing-overdue-ms")
			sow(b, h, crop{owner: who.Subject, n: late, after: *living, ends: musa.At(time.Now()) - 60_000})
			b.ReportMetric(ms(timed(func() { look(b, h, late) })), "1000-overdue-ms")
		}
	}, embedded, mixed)
}

func look(b *testing.B, h *house.House, want int) {
	o := proof.Options{Now: musa.At(time.Now()), Level: proof.Quick, EraseWithin: h.InForce().EraseWithin(), PurgeWithin: h.InForce().PurgeWithin(),
		Tables: map[string][]string{}}
	for _, t := range db.Tables() {
		for column := range t.Columns {
			o.Tables[t.Name] = append(o.Tables[t.Name], column)
		}
	}
	found := map[string]int{}
	_, err := h.Eraser.Proof.Store(b.Context(), o, func(f proof.Fault) { found[f.Kind]++ })
	must(b, err)
	if found[proof.FaultOverdue] != want {
		b.Fatalf("verify found %v, want %d overdue", found, want)
	}
}

// waiting is how many receipts wait for their place at once.
const waiting = 20_000

// BenchmarkReceipts derives each receipt's key, seals it, stores it and puts it into the log,
// as a confirmation does whose node may sequence; and again as one does that has to leave the
// log to another node. Goal: 20,000/s.
func BenchmarkReceipts(b *testing.B) {
	on(b, func(b *testing.B, s stores) {
		h := newHouse(b, s)
		who := person(b, h.DB, h.Keeper.Vault.NewSubject)
		signer, err := audit.NewSigner("musa/"+h.Eraser.Keys.ID(), h.Eraser.Keys.Signer())
		must(b, err)
		at := func(do func(context.Context, db.Tx, ...db.Receipt) error) time.Duration {
			return timed(func() { issue(b, h, who.Subject, do) })
		}
		for b.Loop() {
			made := at(func(ctx context.Context, tx db.Tx, list ...db.Receipt) error {
				return tx.LogReceipts(ctx, signer, list...)
			})
			stored := at(func(ctx context.Context, tx db.Tx, list ...db.Receipt) error { return tx.InsertReceipts(ctx, list...) })
			logged := timed(func() { must(b, h.Eraser.Sequence(b.Context())) })
			b.ReportMetric(waiting/made.Seconds(), "receipts/s")
			b.ReportMetric(waiting/stored.Seconds(), "stored/s")
			b.ReportMetric(waiting/logged.Seconds(), "logged/s")
		}
	}, embedded, mixed)
}

// issue seals and stores receipts as a confirmation does that nobody interrupts: a hundred at
// a time, a thousand in a transaction.
func issue(b *testing.B, h *house.House, owner musa.SubjectID, store func(context.Context, db.Tx, ...db.Receipt) error) {
	b.Helper()
	numbers := make([]int, waiting)
	for most := range slices.Chunk(numbers, 1000) {
		must(b, h.DB.Write(b.Context(), func(ctx context.Context, tx db.Tx) error {
			for some := range slices.Chunk(most, 100) {
				wrapped, err := tx.SubjectKey(ctx, owner)
				if err != nil {
					return err
				}
				list := make([]db.Receipt, len(some))
				for i := range list {
					if list[i], err = worded(h, owner, wrapped); err != nil {
						return err
					}
				}
				if err := store(ctx, tx, list...); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func worded(h *house.House, owner musa.SubjectID, wrapped []byte) (db.Receipt, error) {
	r := db.Receipt{ID: musa.NewReceiptID(time.Now()), Subject: owner, Batch: "ba_bench", Item: string(musa.NewAssetID(time.Now())), Created: 1}
	key, err := h.Eraser.Vault.ReceiptKey(owner, wrapped, r.ID)
	if err != nil {
		return r, err
	}
	st := audit.Statement{What: audit.WhatErased, Item: r.Item, Category: musa.CategoryOutput, Erased: 1, Purged: 2, PolicyVersion: "1", Rule: "lifecycle[3]"}
	var salt audit.Salt
	rand.Read(salt[:])
	leaf := audit.Leaf(salt, st.Bytes())
	r.Leaf = leaf[:]
	r.Sealed, err = key.SealRecord(string(r.ID), st.Bytes())
	return r, err
}

// BenchmarkReceiptProof proves one of a million receipts and verifies it offline. Goals: ≤ 700
// bytes of hashes, ≤ 1 ms.
func BenchmarkReceiptProof(b *testing.B) {
	keys, err := seal.Create(b.TempDir() + "/musa.keys")
	must(b, err)
	r, verifier := million(b, keys)
	for b.Loop() {
		_, err := audit.VerifyReceipt(r, verifier)
		must(b, err)
	}
	raw := 0
	for _, h := range r.Proof {
		raw += len(h)
	}
	b.ReportMetric(float64(raw), "proof-bytes")
}

// million is a receipt from the middle of a log of a million, and who signed it.
func million(b *testing.B, keys *seal.Keyset) (audit.Receipt, string) {
	b.Helper()
	const size, page, index = 1_000_000, 10_000, 654_321
	st := audit.Statement{What: audit.WhatErased, Item: "as_bench", Category: musa.CategoryOutput, Erased: 1, Purged: 2, PolicyVersion: "1", Rule: "lifecycle[3]"}
	var stored hashes
	for from := 0; from < size; from += page {
		leaves := make([]audit.Hash, page)
		for i := range leaves {
			leaves[i] = audit.Leaf(audit.Salt{}, fmt.Append(nil, from+i))
			if from+i == index {
				leaves[i] = audit.Leaf(audit.Salt{}, st.Bytes())
			}
		}
		added, err := audit.Grow(int64(from), leaves, stored)
		must(b, err)
		stored = append(stored, added...)
	}
	path, err := audit.Prove(size, index, stored)
	must(b, err)
	signer, err := audit.NewSigner("bench", keys.Signer())
	must(b, err)
	c, err := audit.NewCheckpoint(signer.Name(), size, stored)
	must(b, err)
	signed, err := c.Sign(signer)
	must(b, err)
	verifier, err := audit.VerifierKey("bench", keys.Signer().Public().(ed25519.PublicKey))
	must(b, err)
	salt := audit.Salt{}
	return audit.Receipt{ID: "re_bench", Statement: st, Salt: salt[:], Index: index, Size: size, Proof: path, Checkpoint: string(signed)}, verifier
}

// hashes are a log's stored ones, in memory.
type hashes []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = h[n]
	}
	return out, nil
}
