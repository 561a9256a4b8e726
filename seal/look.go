package seal

// sample is how much of something sealed a look takes.
const sample = 4096

// LooksSealed says whether bytes look like the beginning of a record or a blob of ours: the
// version byte, and behind it the evenness of ciphertext. It needs no key, and proves only
// the contrary: what is clear text fails.
func LooksSealed(head []byte) bool {
	if len(head) < 1+nonceSize+tagSize || head[0] != versionRecord && head[0] != versionBlob {
		return false
	}
	body := head[1:min(len(head), sample)]
	var seen [256]int
	different := 0
	for _, b := range body {
		if seen[b]++; seen[b] == 1 {
			different++
		}
	}
	// Of n even draws from 256 values about 256·(1 − e^(−n/256)) differ: far more than in
	// text, which has fewer than 100 values at all.
	switch n := len(body); {
	case n >= 1024:
		return different >= 200
	case n >= 256:
		return different >= 110
	default:
		return different >= n/3
	}
}
