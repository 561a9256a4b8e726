package musatest

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"musa/rights"
)

// Archive is an export, unpacked: its files by name.
type Archive map[string][]byte

// Export fetches an archive from a door and looks whether it is whole and what the published
// schema says.
func (c *Client) Export(path string) ([]byte, Archive) {
	c.T.Helper()
	ans := c.Do(http.MethodGet, path, nil)
	c.Want(http.StatusOK, ans, nil)
	if kind := ans.Header.Get("Content-Type"); kind != "application/zip" {
		c.T.Fatalf("an archive of type %q", kind)
	}
	return ans.Body, Unpack(c.T, ans.Body)
}

// Import sends an archive and wants it to be taken.
func (c *Client) Import(raw []byte) (out rights.Imported) {
	c.T.Helper()
	c.Want(http.StatusOK, c.Send(http.MethodPost, "/api/me/import", "application/zip", bytes.NewReader(raw)), &out)
	return out
}

// Unpack opens an archive, compares every file with its list of contents and the JSON files
// with the schema.
func Unpack(t testing.TB, raw []byte) Archive {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	must(t, err)
	a := Archive{}
	for _, f := range r.File {
		if f.Modified.Year() < 2000 {
			t.Errorf("%s is dated %s: unpacked, it would be from before there was such a thing", f.Name, f.Modified)
		}
		src, err := f.Open()
		must(t, err)
		a[f.Name], err = io.ReadAll(src)
		must(t, err)
		src.Close()
	}
	var contents rights.Contents
	a.Decode(t, "contents.json", &contents)
	for _, f := range contents.Files {
		if sum := sha256.Sum256(a[f.Name]); hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(a[f.Name])) != f.Bytes {
			t.Errorf("%s is not what the contents say", f.Name)
		}
	}
	if len(contents.Files) != len(a)-1 {
		t.Errorf("the contents list %d of %d files", len(contents.Files), len(a))
	}
	a.validate(t)
	return a
}

var exportForm = sync.OnceValues(func() (*jsonschema.Schema, error) {
	src, err := jsonschema.UnmarshalJSON(bytes.NewReader(rights.Schema()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(rights.SchemaID, src); err != nil {
		return nil, err
	}
	return c.Compile(rights.SchemaID)
})

// validate has another hand judge the JSON files by the published schema.
func (a Archive) validate(t testing.TB) {
	t.Helper()
	form, err := exportForm()
	must(t, err)
	all := map[string]any{}
	for name, raw := range a {
		if strings.HasSuffix(name, ".json") && name != "schema.json" {
			all[name], err = jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			must(t, err)
		}
	}
	if err := form.Validate(all); err != nil {
		t.Errorf("the archive is not of the published form: %v", err)
	}
	if !bytes.Equal(a["schema.json"], rights.Schema()) {
		t.Error("the archive brings another schema than the published one")
	}
}

// Decode reads one JSON file.
func (a Archive) Decode(t testing.TB, name string, out any) {
	t.Helper()
	if a[name] == nil {
		t.Fatalf("the archive has no %s", name)
	}
	must(t, json.Unmarshal(a[name], out))
}

// Lines are the pictures of history.json by id.
func (a Archive) Lines(t testing.TB) map[string]rights.Line {
	t.Helper()
	var list []rights.Line
	a.Decode(t, "history.json", &list)
	out := map[string]rights.Line{}
	for _, l := range list {
		out[l.ID] = l
	}
	return out
}
