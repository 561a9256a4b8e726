package proof

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kinds of fault about what should be sealed.
const (
	FaultClear  = "clear_text"  // legible where only sealed bytes or plain words may lie
	FaultFormat = "blob_format" // stored bytes that are no sealed blob
)

// prose are the columns that hold public text.
var prose = []string{"policy_versions.document", "checkpoints.note", "audit_heads.note", "surveys.content", "news.words", "tallies.choice"}

// lists are the columns that hold names of the policy, separated by spaces.
var lists = []string{"subjects.consents", "subjects.objections", "api_keys.scopes", "workspaces.processors"}

// name is one of them; one for a single picture has its id, a no to that a minus, and one that runs
// out its end.
var name = regexp.MustCompile(`^-?[a-z][a-z0-9_-]*(:as_[0-9a-z]{26})?(@[0-9]{1,15})?$`)

// named says whether a list holds names only.
func named(list string) bool {
	return !slices.ContainsFunc(strings.Fields(list), func(s string) bool { return len(s) > longestWord || !name.MatchString(s) })
}

const (
	longestWord = 200 // ids, states, paths of rules and names of networks are shorter
	legibleFrom = 16  // fewer random bytes may all be printable by chance
)

// signatures begin the pictures and films that the studio meets. Formats that begin with
// two bytes only (BMP, bare JPEG XL) would be met by chance; uneven finds those.
var signatures = [][]byte{
	[]byte("\xff\xd8\xff"), []byte("\x89PNG\r\n\x1a\n"), []byte("GIF87a"), []byte("GIF89a"), []byte("II*\x00"),
	[]byte("MM\x00*"), []byte("%PDF-"), []byte("<?xml"), []byte("<svg"), []byte("\x1aE\xdf\xa3"), []byte("\x00\x00\x00\x0cJXL "),
}

// picture says whether bytes begin as a picture or film does.
func picture(b []byte) bool {
	for _, s := range signatures {
		if bytes.HasPrefix(b, s) {
			return true
		}
	}
	riff := len(b) >= 12 && string(b[:4]) == "RIFF" && (string(b[8:12]) == "WEBP" || string(b[8:12]) == "AVI ")
	return riff || len(b) >= 12 && string(b[4:8]) == "ftyp"
}

// legible says whether bytes are text throughout, such as JSON or a prompt.
func legible(b []byte) bool {
	if len(b) < legibleFrom || !utf8.Valid(b) {
		return false
	}
	for _, c := range string(b) {
		if !unicode.IsPrint(c) && !unicode.IsSpace(c) {
			return false
		}
	}
	return true
}

// borrowed is how the policy cites a rule that takes another category's time.
var borrowed = regexp.MustCompile(`^[a-z_]+\[[0-9]+\] \(as [a-z_]+\[[0-9]+\]\)$`)

// word says whether a text column's value is one of the program's own words: an id, a
// state, a version, the path of a rule.
func word(s string) bool {
	return borrowed.MatchString(s) || len(s) <= longestWord && !strings.ContainsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || c == '@' || c > unicode.MaxASCII })
}

// clearRows reads every text and binary column of every declared table.
func (r *round) clearRows(ctx context.Context, found func(Fault)) error {
	tables, err := r.real(ctx)
	if err != nil {
		return err
	}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if err := r.clearTable(ctx, table, tables[table], found); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) clearTable(ctx context.Context, table string, columns []column, found func(Fault)) error {
	keys := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.key == 0 })
	slices.SortFunc(keys, func(a, b column) int { return a.key - b.key })
	read := slices.DeleteFunc(slices.Clone(columns), func(c column) bool {
		return !c.text && !c.binary || slices.Contains(prose, table+"."+c.name)
	})
	if len(keys) == 0 && r.Dialect == SQLite {
		keys = []column{{name: "rowid"}}
	}
	if len(keys) == 0 || len(read) == 0 {
		return nil
	}
	from := make([]any, len(keys))
	names := func(list []column) string {
		quoted := make([]string, len(list))
		for i, c := range list {
			quoted[i] = `"` + c.name + `"`
		}
		return strings.Join(quoted, ", ")
	}
	marks := make([]string, len(keys))
	for i, k := range keys {
		marks[i], from[i] = fmt.Sprintf("$%d", i+1), any(int64(-1<<62))
		if k.text {
			from[i] = ""
		}
	}
	query := fmt.Sprintf(`SELECT %s, %s FROM "%s" WHERE (%s) > (%s) ORDER BY %s LIMIT $%d`,
		names(keys), names(read), table, names(keys), strings.Join(marks, ", "), names(keys), len(keys)+1)
	return r.walk(ctx, "columns of "+table, query, from, func(rows *sql.Rows) ([]any, error) {
		key, values := make([]any, len(keys)), make([]sql.RawBytes, len(read))
		into := make([]any, 0, len(keys)+len(read))
		for i := range key {
			into = append(into, &key[i])
		}
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, c := range read {
			if c.text && (word(string(values[i])) || slices.Contains(lists, table+"."+c.name) && named(string(values[i]))) || c.binary && !picture(values[i]) && !legible(values[i]) {
				continue
			}
			found(Fault{Kind: FaultClear, Where: table + "." + c.name, ID: naming(key[0]), Words: "holds something that can be read without a key"})
		}
		return key, nil
	})
}

// naming is the key of a row with clear text, where it is a word itself.
func naming(key any) string {
	if raw, ok := key.([]byte); ok {
		key = string(raw)
	}
	if id := fmt.Sprint(key); word(id) {
		return id
	}
	return ""
}

// A sealed blob, as package seal lays it out: version 1, 32 bytes salt, then segments of
// 65,536 bytes and a tag of 16; the smallest is an empty last segment.
const (
	blobVersion = 1
	blobHeader  = 1 + 32
	blobSegment = 64<<10 + 16
	blobLeast   = blobHeader + 16
)

// clearBlobs reads every stored byte.
func (r *round) clearBlobs(ctx context.Context, found func(Fault)) error {
	for info, err := range r.Blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if info.Partial {
			continue
		}
		words, err := r.clearBlob(ctx, info.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since it was listed
		}
		if err != nil {
			return fmt.Errorf("read blob %s: %w", info.Name, err)
		}
		switch words {
		case "":
		case FaultFormat:
			found(Fault{Kind: FaultFormat, Where: "blob store", ID: info.Name, Words: "is no sealed blob: version or length are not of that form"})
		default:
			found(Fault{Kind: FaultClear, Where: "blob store", ID: info.Name, Words: "holds something that can be read without a key"})
		}
		r.passed("blobs read", 1)
	}
	return nil
}

// clearBlob reads one blob and names the fault it has, if any.
func (r *round) clearBlob(ctx context.Context, name string) (kind string, err error) {
	src, err := r.Blobs.Open(ctx, name, 0, -1)
	if err != nil {
		return "", err
	}
	defer src.Close()
	head := make([]byte, blobHeader)
	n, err := fill(src, head)
	if picture(head[:n]) || legible(head[:n]) {
		return FaultClear, nil
	}
	if err != nil && err != io.EOF {
		return "", err
	}
	if n < len(head) || head[0] != blobVersion {
		return FaultFormat, nil
	}
	segment := make([]byte, blobSegment)
	for size := int64(n); ; {
		n, err := fill(src, segment)
		size += int64(n)
		if n > 0 && (legible(segment[:n]) || uneven(segment[:n])) {
			return FaultClear, nil
		}
		switch {
		case err == io.EOF:
			if size < blobLeast {
				return FaultFormat, nil
			}
			return "", nil
		case err != nil:
			return "", err
		}
	}
}

// uneven says whether the bytes cannot be what a cipher gives: some values come too often,
// or one follows upon itself too often. Of 4,096 or more random bytes, chi-squared over
// the 256 values is 255 ± 23, and one in 256 repeats the byte before it; 600 and one in 64
// do not happen by chance. Pixels, text and most packed pictures are far above.
func uneven(b []byte) bool {
	if len(b) < 4096 {
		return false
	}
	var count [256]int
	repeats := 0
	for i, c := range b {
		count[c]++
		if i > 0 && c == b[i-1] {
			repeats++
		}
	}
	want := float64(len(b)) / 256
	chi := 0.0
	for _, n := range count {
		d := float64(n) - want
		chi += d * d / want
	}
	return chi > 600 || repeats > len(b)/64
}
