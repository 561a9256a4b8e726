package account

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the list
	"sort"
	"strings"
)

// breachedList holds the passwords that stand first in what thieves have published, as far as they
// are long enough to be taken here at all: for each the first five bytes of SHA-256 over its small
// letters, sorted. NOTICE names where they come from. It is asked here, on this machine: no part of
// a password goes anywhere to be looked up.
//
//go:embed breached.bin
var breachedList []byte

const breachedSize = 5

// breached says whether everybody who guesses passwords tries this one. With 40 bits a password
// that is not in the list passes for one that is about once in 60 million.
func breached(password string) bool {
	sum := sha256.Sum256([]byte(strings.ToLower(password)))
	want := sum[:breachedSize]
	n := len(breachedList) / breachedSize
	at := func(i int) []byte { return breachedList[i*breachedSize : (i+1)*breachedSize] }
	i := sort.Search(n, func(i int) bool { return bytes.Compare(at(i), want) >= 0 })
	return i < n && bytes.Equal(at(i), want)
}
