package bench_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"musa"
	"musa/policies"
	"musa/policy"
	"musa/seal"
)

var decided policy.Grant

// BenchmarkDecide asks the default policy whether a person may open what is theirs. Goal:
// ≤ 1 µs, no allocation.
func BenchmarkDecide(b *testing.B) {
	doc, err := policies.Load(policies.Default, nil)
	must(b, err)
	now := musa.At(time.Now())
	who := musa.NewSubjectID(time.Now())
	for name, item := range map[string]policy.Item{
		"original": {ID: "as_1", Owner: who, Category: musa.CategoryOriginal, Tier: musa.TierGuest, Created: now, InUse: true},
		"output":   {ID: "as_2", Owner: who, Category: musa.CategoryOutput, Tier: musa.TierGuest, Created: now},
	} {
		b.Run(name, func(b *testing.B) {
			f := policy.Facts{Now: now + 1, Actor: musa.Actor{Subject: who, Tier: musa.TierGuest, Role: musa.RoleSubject},
				Purpose: musa.PurposeDeliver, Item: item}
			b.ReportAllocs()
			for b.Loop() {
				decided = doc.Decide(f)
			}
			must(b, decided.Err())
		})
	}
}

// BenchmarkSeal seals 16 MiB in memory and opens it again. Its peer is AES-256-GCM alone, in
// segments of the same size.
func BenchmarkSeal(b *testing.B) {
	plain := random(16 << 20)
	key := seal.NewKey()
	gcm := newGCM(b, key)
	var sealed bytes.Buffer
	sealed.Grow(len(plain) + len(plain)/100)
	var ours, opening, theirs time.Duration
	for b.Loop() {
		theirs += timed(func() { gcm.seal(plain) })
		sealed.Reset()
		ours += timed(func() {
			w, err := seal.NewWriter(&sealed, key, "as_1/full")
			must(b, err)
			_, err = w.Write(plain)
			must(b, err)
			must(b, w.Close())
		})
		opening += timed(func() { reopen(b, sealed.Bytes(), key) })
	}
	mb := float64(b.N) * float64(len(plain)) / 1e6
	b.ReportMetric(mb/ours.Seconds(), "seal-MB/s")
	b.ReportMetric(mb/opening.Seconds(), "open-MB/s")
	b.ReportMetric(mb/theirs.Seconds(), "bare-MB/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x-bare")
}

func reopen(b *testing.B, sealed []byte, key seal.Key) {
	fetch := func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(bytes.NewReader(sealed), off, n)), nil
	}
	r, err := seal.NewReader(fetch, int64(len(sealed)), key, "as_1/full")
	must(b, err)
	_, err = io.Copy(io.Discard, r)
	must(b, err)
	must(b, r.Close())
}

type gcm struct {
	cipher.AEAD
	out []byte
}

func newGCM(b *testing.B, key seal.Key) *gcm {
	b.Helper()
	block, err := aes.NewCipher(key[:])
	must(b, err)
	g, err := cipher.NewGCM(block)
	must(b, err)
	return &gcm{AEAD: g}
}

func (g *gcm) seal(plain []byte) {
	const segment = 64 << 10
	var nonce [12]byte
	for i := 0; i < len(plain); i += segment {
		binary.BigEndian.PutUint32(nonce[8:], uint32(i))
		g.out = g.Seal(g.out[:0], nonce[:], plain[i:min(i+segment, len(plain))], nil)
	}
}
