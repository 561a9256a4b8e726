package policy

import (
	"fmt"
	"strings"
)

// Markdown writes a document to hand over: a title, sections, and under each sentence's list
// item the path of the line that it was rendered from.
func Markdown(title string, sections []Section) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", escaped(title))
	for _, s := range sections {
		b.WriteString("\n")
		if s.Heading != "" {
			fmt.Fprintf(&b, "## %s\n\n", escaped(s.Heading))
		}
		for _, x := range s.Sentences {
			fmt.Fprintf(&b, "- %s `%s`\n", escaped(x.Text), x.Path)
		}
	}
	return []byte(b.String())
}

// marks are the characters that Markdown would read as more than text; an operator's own
// words stand in the sentences.
var marks = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "#", `\#`, "|", `\|`, "!", `\!`, "\n", " ")

func escaped(s string) string { return marks.Replace(s) }
