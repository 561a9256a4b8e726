package conformance

import (
	"fmt"
	"io"
	"strings"
)

// Counts says how many promises stand in each state.
func Counts(verdicts []Verdict) map[State]int {
	counts := map[State]int{}
	for _, v := range verdicts {
		counts[v.State]++
	}
	return counts
}

// Plain writes one line per promise that is more than "not yet", and the counts.
func Plain(w io.Writer, verdicts []Verdict) error {
	var out strings.Builder
	for _, v := range verdicts {
		if v.State == StateNotYet {
			continue
		}
		fmt.Fprintf(&out, "%-5s %-8s %s", v.ID, v.State, v.Words)
		if v.State != StateKept && len(v.Parts) > 0 {
			fmt.Fprintf(&out, " (seen: %s)", strings.Join(v.Parts, "; "))
		}
		out.WriteByte('\n')
	}
	fmt.Fprintln(&out, summary(verdicts))
	return write(w, out.String())
}

// Markdown writes the whole catalogue with its states: the text of doc/promises.md. It
// holds no time and no duration, so that an unchanged state is an unchanged file.
func Markdown(w io.Writer, verdicts []Verdict) error {
	var out strings.Builder
	out.WriteString("# Promises\n\n")
	out.WriteString("Written by `make promises` from the tests that bear promises; do not edit.\n\n")
	out.WriteString("*Kept*: a test sees all that the promise says. *In part*: tests see the named parts.\n")
	out.WriteString("*Not yet*: no test. *Broken*: a test fails.\n\n")
	out.WriteString(summary(verdicts) + "\n")
	preset := ""
	for _, v := range verdicts {
		if v.Preset != preset {
			preset = v.Preset
			fmt.Fprintf(&out, "\n## %s\n\n| id | area | promise | state |\n|---|---|---|---|\n", preset)
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", v.ID, v.Area, cell(v.Words), cell(stateWords(v)))
	}
	return write(w, out.String())
}

func stateWords(v Verdict) string {
	if v.State == StateKept || len(v.Parts) == 0 {
		return string(v.State)
	}
	return fmt.Sprintf("%s: %s", v.State, strings.Join(v.Parts, "; "))
}

func cell(words string) string { return strings.ReplaceAll(words, "|", "\\|") }

func summary(verdicts []Verdict) string {
	counts := Counts(verdicts)
	var words []string
	for _, s := range States() {
		words = append(words, fmt.Sprintf("%d %s", counts[s], s))
	}
	return fmt.Sprintf("%d promises: %s.", len(verdicts), strings.Join(words, ", "))
}

func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write promise report: %w", err)
	}
	return nil
}
