// Command report says which promises are kept. It runs the conformance tests and those browser
// tests that bear promises (or reads a file that `go test -json` wrote), prints a line per promise
// that has a test, and writes doc/promises.md. It exits 1 when a test that bears a promise fails.
//
// It starts the tests and reads their results; it judges nothing itself.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"

	"musa/conformance"
)

func main() {
	results := flag.String("results", "", "read this output of go test -json instead of running the tests")
	out := flag.String("out", "doc/promises.md", "write the whole catalogue here; empty: nowhere")
	flag.Parse()
	broken, err := report(os.Stdout, *results, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(2)
	}
	if broken > 0 {
		os.Exit(1)
	}
}

func report(w io.Writer, results, out string) (broken int, err error) {
	events, err := read(results)
	if err != nil {
		return 0, err
	}
	verdicts, err := conformance.Tally(bytes.NewReader(events))
	if err != nil {
		return 0, err
	}
	if err := conformance.Plain(w, verdicts); err != nil {
		return 0, err
	}
	if out != "" {
		var text bytes.Buffer
		if err := conformance.Markdown(&text, verdicts); err != nil {
			return 0, err
		}
		if err := os.WriteFile(out, text.Bytes(), 0o644); err != nil {
			return 0, fmt.Errorf("write promise list: %w", err)
		}
	}
	return conformance.Counts(verdicts)[conformance.StateBroken], nil
}

// runs are the tests that bear promises: all of conformance, and in e2e those of this name.
var runs = [][]string{
	{"./conformance"},
	{"-tags", "e2e", "-run", "^TestPromise", "./e2e"},
}

func read(results string) ([]byte, error) {
	if results != "" {
		return os.ReadFile(results)
	}
	var all []byte
	for _, run := range runs {
		tests := exec.Command("go", append([]string{"test", "-json", "-timeout", "20m"}, run...)...)
		tests.Stderr = os.Stderr
		events, err := tests.Output()
		// Failing tests exit 1 and have still said what they saw; the tally finds them.
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return nil, fmt.Errorf("run the tests that bear promises: %w", err)
		}
		all = append(all, events...)
	}
	return all, nil
}
