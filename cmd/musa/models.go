package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"musa/neural"
)

type modelsCmd struct {
	Pull modelsPullCmd `cmd:"" help:"Fetch the networks that are missing, check and convert them."`
	List modelsListCmd `cmd:"" help:"Say which networks are there."`
}

type modelsPullCmd struct {
	Models string `help:"Folder of the neural networks." default:"./models" placeholder:"DIR"`
}

// Run fetches. It is quiet when nothing is missing.
func (c *modelsPullCmd) Run(ctx context.Context, out io.Writer) error {
	return neural.Pull(ctx, neural.Config{Dir: c.Models, Progress: func(p neural.PullProgress) {
		if words, ok := stages[p.Stage]; ok {
			fmt.Fprintf(out, "models: %s %s (%d of %d ready)\n", words, p.Name, p.Done, p.Total)
		}
	}})
}

// stages are the steps that are worth a line.
var stages = map[string]string{"fetch": "fetching package", "convert": "preparing", "install": "installed"}

type modelsListCmd struct {
	Models string `help:"Folder of the neural networks." default:"./models" placeholder:"DIR"`
}

// Run lists.
func (c *modelsListCmd) Run(out io.Writer) error {
	list, err := neural.List(c.Models)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, m := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.State, m.Licence)
	}
	return w.Flush()
}
