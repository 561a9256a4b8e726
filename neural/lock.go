package neural

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// models.lock.json says from which packages the files come, what they hash to, and under
// which licence they stand. To change a pin, change the file; Pull names every sum that
// it found beside the one that it wanted.
//
//go:embed models.lock.json
var lockJSON []byte

var lock = mustParseLock(lockJSON)

type lockFile struct {
	Packages  []lockPackage  `json:"packages"`
	Artefacts []lockArtefact `json:"artefacts"`
}

type lockPackage struct {
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	Integrity string            `json:"integrity"` // "sha512-" and base64, as the registry gives it
	Licence   string            `json:"licence"`   // the package's own
	Upstream  string            `json:"upstream"`  // whose work it holds, and its licence
	Files     map[string]string `json:"files"`     // path inside the package -> SHA-256
}

type lockArtefact struct {
	Name    string   `json:"name"`    // a Network, or "onnxruntime"
	File    string   `json:"file"`    // its name in the models directory
	Arch    string   `json:"arch"`    // GOARCH that needs it; empty = all
	Format  string   `json:"format"`  // how it is made of its sources: copy, ncnn, tfjs
	Package string   `json:"package"` // the package its sources are in
	Sources []string `json:"sources"`
	SHA256  string   `json:"sha256"` // of the installed file
	Licence string   `json:"licence"`
}

const libraryName = "onnxruntime"

func mustParseLock(raw []byte) lockFile {
	var l lockFile
	if err := json.Unmarshal(raw, &l); err != nil {
		panic(fmt.Sprintf("neural: the embedded models.lock.json is broken: %v", err))
	}
	return l
}

// needed lists the artefacts of this machine.
func (l lockFile) needed() []lockArtefact {
	var out []lockArtefact
	for _, a := range l.Artefacts {
		if a.Arch == "" || a.Arch == runtime.GOARCH {
			out = append(out, a)
		}
	}
	return out
}

func (l lockFile) artefact(name string) (lockArtefact, bool) {
	list := l.needed()
	i := slices.IndexFunc(list, func(a lockArtefact) bool { return a.Name == name })
	if i < 0 {
		return lockArtefact{}, false
	}
	return list[i], true
}

// Model is one file that the local engine needs.
type Model struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Package string `json:"package"` // name@version
	Licence string `json:"licence"`
	State   State  `json:"state"`
}

// State says how a model's file stands.
type State string

// The states of a model's file.
const (
	Present State = "present" // there, and its hash is right
	Missing State = "missing"
	Corrupt State = "corrupt" // there, but not what the lock file pins
)

// List says which files are in dir and whether they are what they should be. It reads
// each whole file.
func List(dir string) ([]Model, error) {
	var out []Model
	for _, a := range lock.needed() {
		state, err := a.state(dir)
		if err != nil {
			return nil, fmt.Errorf("list models: %s: %w", a.Name, err)
		}
		p := lock.pkg(a.Package)
		out = append(out, Model{Name: a.Name, File: a.File, Package: p.Name + "@" + p.Version, Licence: a.Licence, State: state})
	}
	return out, nil
}

func (l lockFile) pkg(name string) lockPackage {
	for _, p := range l.Packages {
		if p.Name == name {
			return p
		}
	}
	return lockPackage{Name: name}
}

func (a lockArtefact) state(dir string) (State, error) {
	f, err := os.Open(filepath.Join(dir, a.File))
	if os.IsNotExist(err) {
		return Missing, nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if hex.EncodeToString(h.Sum(nil)) != a.SHA256 {
		return Corrupt, nil
	}
	return Present, nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
