package rights

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"musa"
	"musa/db"
	"musa/studio"
)

// known says what of the person's is this picture already: the very same, or what came of it
// with an import before. Empty for none.
func (in *intake) known(ctx context.Context, id string) (here musa.AssetID, err error) {
	err = in.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		same, err := musa.ParseAssetID(id)
		if err != nil {
			return damaged()
		}
		tail := musa.TailOf(in.of(id))
		found, err := tx.ArrivedAssets(ctx, in.by.Subject, []string{tail, db.TailIn(id)})
		if err != nil {
			return err
		}
		if here = found[tail]; found[db.TailIn(id)] == same {
			here = same
		}
		return nil
	})
	return here, err
}

// of is what the id of something that is taken over is made of: the same for the same thing
// and person, and nothing that anybody else can reckon.
func (in *intake) of(id string) (out [10]byte) {
	copy(out[:], in.Vault.Keys.Digest("import", string(in.by.Subject)+" "+id))
	return out
}

// renew says of what lies sealed without a row that its import lives, before the sweep takes
// it for left over.
func (in *intake) renew(ctx context.Context) error {
	if now := in.Studio.Clock(); now.Sub(in.renewed) < renewEvery {
		return nil
	} else {
		in.renewed = now
	}
	var names []string
	for _, a := range in.taken {
		names = append(names, a.Blobs()...)
	}
	for some := range slices.Chunk(names, rowPage) {
		if err := in.DB.Chore(ctx, func(ctx context.Context, tx db.Tx) error { return tx.RenewBlobs(ctx, some) }); err != nil {
			return err
		}
	}
	return nil
}

// folder says that a name is a folder's, as other tools add them.
func folder(name string) bool {
	return name == folderImages+"/" || name == folderImages+"/original/" || name == folderImages+"/output/"
}

// picture takes the name of a picture's file apart. A name is compared and never used as a
// path.
func picture(name string) (id string, kind musa.Category, ok bool) {
	rest, found := strings.CutPrefix(name, folderImages+"/")
	dir, file, slash := strings.Cut(rest, "/")
	id, ending, dot := strings.Cut(file, ".")
	kind = musa.Category(dir)
	if !found || !slash || !dot || kind != musa.CategoryOriginal && kind != musa.CategoryOutput || strings.Trim(ending, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", "", false
	}
	_, err := musa.ParseAssetID(id)
	return id, kind, err == nil
}

// admissible refuses names that no export writes, and the same one twice.
func (in *intake) admissible(name string) error {
	if _, again := in.seen[name]; again {
		return badArchive("archive_twice", "This archive holds two files of the same name.")
	}
	if len(in.seen) >= maxFiles {
		return &musa.Problem{Kind: musa.ErrTooLarge, Code: "archive_too_many", Field: "archive",
			Public: fmt.Sprintf("This archive holds more than %d files, the most that are taken. Nothing was taken over.", maxFiles)}
	}
	if folder(name) || name == fileSchema || name == fileIndex {
		return nil
	}
	for _, f := range files {
		if f.name == name {
			return nil
		}
	}
	for _, c := range musa.Categories() {
		if partOf(c) == name {
			return nil
		}
	}
	if _, _, ok := picture(name); !ok {
		return badArchive("archive_name", "This archive holds a file that no export of Musa has. Send it as it was exported.")
	}
	return nil
}

// document reads a JSON file that is needed here. The others are hashed and let go.
func (in *intake) document(name string, body io.Reader) error {
	var into any
	switch name {
	case fileManifest:
		into = &in.manifest
	case fileContents:
		into = &in.contents
	case fileHistory:
		into = &in.lines
	case fileJobs:
		into = &in.works
	case partOf(musa.CategoryFeedback):
		into = &in.feedback
	default:
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxText-in.text+1))
	if err != nil {
		return err
	}
	if in.text += int64(len(raw)); in.text > maxText {
		return archiveTooLarge(fmt.Sprintf("The lists in this archive are larger than %d MB unpacked", maxText>>20))
	}
	if name == fileManifest { // what else it says is judged only if the form is known
		if err := in.form(raw); err != nil {
			return err
		}
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return damaged()
	}
	return nil
}

// form refuses what is no export, or one of another form.
func (in *intake) form(raw []byte) error {
	var m struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	switch err := json.Unmarshal(raw, &m); {
	case err != nil || m.Format != Format:
		return badArchive("archive_foreign", "This archive is no export of Musa.")
	case m.Version != FormatVersion:
		return badArchive("archive_version", fmt.Sprintf("This archive has form %d, and this server takes form %d. Export it again from a server of the same form.", m.Version, FormatVersion))
	}
	return nil
}

func damaged() error {
	return badArchive("archive_damaged", "The lists in this archive contradict its form. Export again, or send another copy.")
}

// judge compares all that came with what the archive says should be in it.
func (in *intake) judge() error {
	if in.manifest.Format == "" {
		return badArchive("archive_foreign", "This archive is no export of Musa.")
	}
	if in.contents.ID == "" {
		return badArchive("archive_cut", "The archive is not complete: its list of contents is missing.")
	}
	want := map[string]File{}
	for _, f := range in.contents.Files {
		want[f.Name] = f
	}
	have := maps.Clone(in.seen)
	delete(have, fileContents)
	if in.contents.ID != in.manifest.ID || !maps.Equal(want, have) || len(want) != len(in.contents.Files) {
		return badArchive("archive_changed", "The files in this archive are not those that were exported: a hash or a name differs from its list of contents.")
	}
	if err := in.judgeLines(); err != nil {
		return err
	}
	return in.judgeWorks()
}

// maxLine is the most that a list may tell of one thing, as JSON: a description and its plan
// fit well.
const maxLine = 128 << 10

func (in *intake) judgeLines() error {
	told := map[string]bool{}
	for _, l := range in.lines {
		id, kind, ok := picture(l.File)
		if _, came := in.seen[l.File]; !ok || !came || told[id] || id != l.ID || string(kind) != l.Kind || swollen(l) {
			return damaged()
		}
		told[id] = true
	}
	if len(told) != len(in.taken)+len(in.there) {
		return damaged()
	}
	for _, s := range in.feedback.Records {
		if _, err := opinionOf(s.Content); err != nil {
			return damaged()
		}
	}
	return nil
}

// judgeWorks looks at what jobs are told to have been. What stands in a job's row is stored in
// clear, so nothing but names may stand there.
func (in *intake) judgeWorks() error {
	jobs := map[string]bool{}
	for _, w := range in.works {
		_, err := musa.ParseJobID(w.ID)
		if err != nil || jobs[w.ID] || !name(w.Kind) || !name(w.Engine) || !name(w.Model) || !name(w.Code) || len(w.Prompt) > studio.MaxPrompt || swollen(w) {
			return damaged()
		}
		jobs[w.ID] = true
	}
	return nil
}

func swollen(v any) bool {
	raw, err := json.Marshal(v)
	return err != nil || len(raw) > maxLine
}

// name says whether something is a kind, an engine, a model or a code, as programs write them.
func name(s string) bool {
	return len(s) <= 100 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789._-:/+@") == ""
}

// opinion is what somebody said of a picture, in the form in which it lies sealed.
type opinion struct {
	Version int    `json:"version"`
	Rating  int    `json:"rating,omitempty"`
	Thumb   string `json:"thumb,omitempty"`
	Note    string `json:"note,omitempty"`
}

// maxNote is the longest note on a picture, in bytes.
const maxNote = 2000

func opinionOf(raw json.RawMessage) (opinion, error) {
	var o opinion
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&o); err != nil || o.Version != 1 || o.Rating < 0 || o.Rating > 5 || o.Thumb != "" && o.Thumb != "up" && o.Thumb != "down" || len(o.Note) > maxNote {
		return opinion{}, damaged()
	}
	return o, nil
}
