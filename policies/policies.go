// Package policies holds the policies that come with the program, as the documents that
// they are. It promises that each of them parses and has no fault, and that a policy which
// contradicts itself is not handed out: the server refuses to start on it. It reads no
// file itself; the caller lends it the means.
package policies

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"musa"
	"musa/policy"
)

// Default is the preset that a server uses when it is told nothing.
const Default = "studio"

//go:embed *.yaml
var presets embed.FS

// Names lists the presets, in alphabetical order.
func Names() []string {
	found, _ := fs.Glob(presets, "*.yaml") // the pattern is well formed: no other error exists
	for i, name := range found {
		found[i] = strings.TrimSuffix(name, ".yaml")
	}
	return found
}

// Source is the text of a preset or of an operator's file, and the name under which
// faults cite it. A name without a dot or a slash is a preset's; read opens all others.
func Source(nameOrFile string, read func(string) ([]byte, error)) (cited string, src []byte, err error) {
	if !strings.ContainsAny(nameOrFile, "./\\") {
		file := nameOrFile + ".yaml"
		src, err := presets.ReadFile(file)
		if err != nil {
			return "", nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "policy_unknown", Field: "policy",
				Public: fmt.Sprintf("There is no preset of that name. There are %s; a file's name holds a dot or a slash.", strings.Join(Names(), ", "))}
		}
		return file, src, nil
	}
	src, err = read(nameOrFile)
	if err != nil {
		return "", nil, fmt.Errorf("read policy: %w", err)
	}
	return nameOrFile, src, nil
}

// maxExtends bounds how far documents build on one another; two that extend each other
// are found by it.
const maxExtends = 8

// Parse reads a preset or an operator's file with all that it extends, and does not lint it.
// The error is policy.Faults where the text is at fault.
func Parse(nameOrFile string, read func(string) ([]byte, error)) (*policy.Document, error) {
	return parse(nameOrFile, read, maxExtends)
}

func parse(nameOrFile string, read func(string) ([]byte, error), deep int) (*policy.Document, error) {
	cited, src, err := Source(nameOrFile, read)
	if err != nil {
		return nil, err
	}
	extends := policy.Extends(src)
	if extends == "" {
		return policy.Parse(cited, src)
	}
	if deep == 0 {
		return nil, policy.Faults{{File: cited, Line: 1, Column: 1, Path: "extends",
			Reason: "extends itself, or too many others", Remedy: "extend a preset or a whole document"}}
	}
	base, err := parse(extends, read, deep-1)
	if err != nil {
		return nil, fmt.Errorf("%s extends another: %w", cited, err)
	}
	return policy.ParseOver(base, cited, src)
}

// Load reads a preset or an operator's file, which may extend a preset or another file. A
// document with any fault is refused, and errors.As finds policy.Faults in the error.
func Load(nameOrFile string, read func(string) ([]byte, error)) (*policy.Document, error) {
	d, err := Parse(nameOrFile, read)
	if err != nil {
		return nil, err
	}
	if faults := d.Lint(); len(faults) > 0 {
		return nil, faults
	}
	return d, nil
}
