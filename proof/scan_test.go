package proof_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"musa"
	"musa/db"
	"musa/proof"
)

func kinds(hits []proof.Hit, id string) (list []string) {
	for _, h := range hits {
		if h.ID == id && !slices.Contains(list, h.Kind) {
			list = append(list, h.Kind)
		}
	}
	slices.Sort(list)
	return list
}

// DESIGN rule 3: before an erasure the scan finds everything, or it would prove nothing;
// after it, nothing. Not beside the others: their open
// transactions, in other databases of the same server, keep PostgreSQL from forgetting rows.
func TestScanFindsAllBeforeErasureAndNothingAfter(t *testing.T) {
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			s := open(t, dialect)
			s.furnish(t)
			doomed := s.hang(t)
			i := s.inspector()
			traces, err := i.Record(t.Context(), string(doomed), string(s.owner))
			must(t, err)
			scanner := proof.NewScanner(traces...)
			if blind := scanner.Blind(); len(blind) > 0 {
				t.Fatalf("cannot look for %v", blind)
			}
			scan := func() []proof.Hit {
				if dialect == db.PostgreSQL {
					_, err := s.raw.Exec("CHECKPOINT")
					must(t, err)
				}
				inFiles, err := scanner.Files(t.Context(), s.dbDir, s.dir)
				must(t, err)
				inBlobs, err := scanner.Blobs(t.Context(), s.blobs)
				must(t, err)
				return append(inFiles, inBlobs...)
			}
			if found := kinds(scan(), string(doomed)); !slices.Equal(found, []string{"bytes", "key", "record", "thumbnail"}) {
				t.Fatalf("before the erasure only %v is found", found)
			}
			s.erase(t, doomed)
			for clean := false; !clean; {
				clean, err = s.Scrub(context.Background(), []string{string(doomed)})
				must(t, err)
			}
			hits := scan()
			if found := kinds(hits, string(doomed)); len(found) > 0 {
				t.Errorf("after the erasure %v remains: %+v", found, hits)
			}
			if found := kinds(hits, string(s.owner)); !slices.Equal(found, []string{"key"}) {
				t.Errorf("the owner's key, which nobody erased, is found as %v", found)
			}
			if _, err := i.Record(t.Context(), string(doomed)); !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("recording what is not there: %v", err)
			}
		})
	}
}

// A source that breaks off was not searched: without remains so far is not without remains.
func TestScanOfWhatBreaksOffIsNoScan(t *testing.T) {
	t.Parallel()
	scanner := proof.NewScanner(proof.Plain("as_1", noise(5000)))
	for _, size := range []int{0, 10, 3 << 20} {
		_, err := scanner.Reader("file", io.MultiReader(bytes.NewReader(noise(size)), iotest.ErrReader(io.ErrUnexpectedEOF)))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after %d bytes: %v", size, err)
		}
	}
}

// Any 32 bytes in a row are found wherever they lie, 31 are not.
func TestScanFindsAnyWindow(t *testing.T) {
	t.Parallel()
	data, file := noise(5000), noise(3<<20)
	scanner := proof.NewScanner(proof.Plain("as_1", data))
	check := func(at, from int) {
		for _, n := range []int{31, 32} {
			was := bytes.Clone(file[max(0, at-1):min(len(file), at+n+1)])
			copy(file[at:], data[from:from+n])
			// The neighbours must not go on by chance, or 31 bytes were 32.
			if at > 0 && from > 0 {
				file[at-1] = ^data[from-1]
			}
			if at+n < len(file) {
				file[at+n] = ^data[from+n]
			}
			hits, err := scanner.Reader("file", bytes.NewReader(file))
			must(t, err)
			if want := n == 32; (len(hits) == 1) != want || want && hits[0].Offset != int64(at) {
				t.Fatalf("%d bytes from %d at %d: %+v", n, from, at, hits)
			}
			copy(file[max(0, at-1):], was)
		}
	}
	for from := range 26 {
		check(1<<20-16, from)
	}
	for i, at := range []int{0, 1, 1<<20 - 40, 1<<20 - 31, 1 << 20, 1<<20 + 64, 3<<20 - 33} {
		check(at, 7*i)
	}
}

func TestScanReadsNamesShortTracesAndOtherForms(t *testing.T) {
	t.Parallel()
	dir, key := t.TempDir(), noise(61)
	must(t, os.WriteFile(filepath.Join(dir, "portrait of ada.jpg"), []byte("nothing"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "log"), []byte("DETAIL: \\x"+hex.EncodeToString(key)+"\n"), 0o600))
	s := open(t, db.SQLite)
	s.furnish(t)
	traces, err := s.inspector().Record(t.Context(), string(s.active))
	must(t, err)
	_, err = s.raw.Exec("UPDATE secrets SET wrapped = ? WHERE id = ?", key, string(s.active))
	must(t, err)
	again, err := s.inspector().Record(t.Context(), string(s.active))
	must(t, err)
	scanner := proof.NewScanner(append(append(traces, again...), proof.Plain("name", []byte("portrait of ada.jpg")), proof.Plain("white", make([]byte, 500)))...)
	hits, err := scanner.Files(t.Context(), dir)
	must(t, err)
	if len(hits) != 2 || hits[0].ID == hits[1].ID {
		t.Errorf("found %+v", hits)
	}
	if blind := scanner.Blind(); len(blind) != 1 || blind[0].ID != "white" {
		t.Errorf("blind for %v", blind)
	}
	if said := fmt.Sprintf("%v %+v %#v %x", again[0], again[0], again[0], again[0]); strings.Contains(said, hex.EncodeToString(key[:8])) {
		t.Errorf("a trace printed itself: %s", said)
	}
}

// Every kind of remain of an erased item has its name.
func TestItemNamesWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			s := open(t, dialect)
			s.furnish(t)
			i := s.inspector()
			left := func(id string) (list []string) {
				remains, err := i.Item(t.Context(), id)
				must(t, err)
				for _, r := range remains {
					list = append(list, r.Kind+" in "+r.Where)
				}
				slices.Sort(list)
				return list
			}
			all := []string{"bytes in blob store", "key in secrets", "record in secrets", "thumbnail in blob store"}
			if got := left(string(s.active)); !slices.Equal(got, all) {
				t.Errorf("of an active asset: %v", got)
			}
			if got := left(string(s.record)); !slices.Equal(got, all[1:3]) {
				t.Errorf("of an active record: %v", got)
			}
			must(t, s.blobs.Remove(t.Context(), "asset/"+string(s.active[3:])+"-full"))
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.EraseAssets(ctx, db.Erasure[musa.AssetID]{Item: s.active})
				return err
			})
			if got := left(string(s.active)); !slices.Equal(got, []string{"entry in blobs", "thumbnail in blob store"}) {
				t.Errorf("halfway through an erasure: %v", got)
			}
			if got := left(string(s.purged[0])); len(got) > 0 {
				t.Errorf("of a purged asset: %v", got)
			}
		})
	}
}

// A look that could not be made proves nothing, and says so.
func TestItemFailsWhereItCannotLook(t *testing.T) {
	t.Parallel()
	s := open(t, db.SQLite)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if remains, err := s.inspector().Item(ctx, "as_x"); err == nil {
		t.Errorf("found %v without looking", remains)
	}
}

func BenchmarkScan(b *testing.B) {
	scanner := proof.NewScanner(proof.Plain("as_1", noise(2<<20)), proof.Plain("as_2", noise(61)))
	file := noise(64 << 20)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if _, err := scanner.Reader("file", bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}
