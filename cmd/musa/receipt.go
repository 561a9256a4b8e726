package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"musa"
	"musa/audit"
)

// ReceiptCmd is `musa receipt`.
type ReceiptCmd struct {
	Verify receiptVerifyCmd `cmd:"" help:"Check a receipt of an erasure, offline. Exit 1 if it does not hold."`
}

type receiptVerifyCmd struct {
	File string `arg:"" help:"The receipt, as /api/receipts/{id} gives it; - reads standard input."`
	Key  string `help:"The log's public key, got from another place than the receipt." placeholder:"KEY"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// receiptFile is a receipt as the API gives it.
type receiptFile struct {
	audit.Receipt
	Verifier string `json:"verifier"`
	Logged   *bool  `json:"logged"`
}

// receiptVerdict is what was proven, as --json prints it.
type receiptVerdict struct {
	Holds     bool             `json:"holds"`
	Reason    string           `json:"reason,omitempty"`
	KeyFrom   string           `json:"key_from"` // "flag", or "receipt": then compare the key elsewhere
	Statement *audit.Statement `json:"statement,omitempty"`
	Size      int64            `json:"log_size,omitempty"`
	Origin    string           `json:"log,omitempty"`
}

// receiptLimit is far more than any receipt takes.
const receiptLimit = 1 << 20

// Run checks the receipt and says in words what it proves.
func (c *receiptVerifyCmd) Run(out io.Writer) error {
	r, err := c.read()
	if err != nil {
		return err
	}
	v := receiptVerdict{KeyFrom: "flag"}
	key := c.Key
	if key == "" {
		v.KeyFrom, key = "receipt", r.Verifier
	}
	if key == "" {
		return &musa.Problem{Kind: musa.ErrInvalid, Code: "receipt_key_missing", Field: "key",
			Public: "This receipt names no public key. Give the log's with --key; the instance's operator publishes it."}
	}
	point, err := audit.VerifyReceipt(r.Receipt, key)
	switch {
	case r.Logged != nil && !*r.Logged:
		v.Reason = "it was fetched before the log had taken it: fetch it again, and check that one"
	case err != nil:
		v.Reason = "it does not hold: the statement, the proof or the signature was changed, or another key signed it"
	default:
		v.Holds, v.Statement, v.Size, v.Origin = true, &r.Statement, point.Size, point.Origin
	}
	if err := receiptPrint(out, c.JSON, r, v); err != nil {
		return err
	}
	if !v.Holds {
		return failure(1)
	}
	return nil
}

func (c *receiptVerifyCmd) read() (r receiptFile, err error) {
	src := os.Stdin
	if c.File != "-" {
		if src, err = os.Open(c.File); err != nil {
			return r, fmt.Errorf("read receipt: %w", err)
		}
		defer src.Close()
	}
	raw, err := io.ReadAll(io.LimitReader(src, receiptLimit))
	if err != nil {
		return r, fmt.Errorf("read receipt: %w", err)
	}
	if json.Unmarshal(raw, &r) != nil || r.ID == "" {
		return r, &musa.Problem{Kind: musa.ErrInvalid, Code: "receipt_unreadable", Field: "file",
			Public: "This is no receipt. It is the JSON that /api/receipts/{id} gives."}
	}
	return r, nil
}

func receiptPrint(out io.Writer, asJSON bool, r receiptFile, v receiptVerdict) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	if !v.Holds {
		_, err := fmt.Fprintf(out, "receipt %s: %s\n", r.ID, v.Reason)
		return err
	}
	when := func(m musa.Millis) string { return m.Time().Format(time.RFC3339) }
	s := v.Statement
	fmt.Fprint(out, "This receipt holds.\n\n") // its id is no part of what is proven
	fmt.Fprintf(out, "The log %s states that %s (%s) was %s:\n", v.Origin, s.Item, s.Category, s.What)
	if s.Ordered > 0 {
		fmt.Fprintf(out, "  ordered        %s\n", when(s.Ordered))
	}
	fmt.Fprintf(out, "  key destroyed  %s\n  bytes removed  %s, and found absent\n", when(s.Erased), when(s.Purged))
	fmt.Fprintf(out, "  under policy   %s, %s\n\n", s.PolicyVersion, s.Rule)
	fmt.Fprintf(out, "Proven: this statement stands at place %d of the first %d in the log, whose root was signed.\nIt can no longer be taken back or changed unnoticed.\n", r.Index+1, v.Size)
	if v.KeyFrom == "receipt" {
		fmt.Fprintln(out, "The public key came with the receipt. Compare it with one from another place: "+r.Verifier)
	}
	_, err := fmt.Fprintln(out, "Not proven: that no copy exists outside of what the server looks after.")
	return err
}
