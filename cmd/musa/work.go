package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"musa"
	"musa/house"
)

type workCmd struct{ Settings }

// Run carries jobs until it is told to stop.
func (c *workCmd) Run(ctx context.Context, out io.Writer) (err error) {
	for _, s := range []struct{ name, value string }{{"db", c.DB}, {"blobs", c.Blobs}, {"nats", c.NATS}} {
		if s.value == "" {
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "setting_missing", Field: s.name,
				Public: "A runner node shares database, blobs and NATS with its servers. Set all three to URLs."}
		}
	}
	if err := harden(); err != nil {
		return err
	}
	o, err := c.build(ctx, house.Config{Log: c.logger()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	fmt.Fprintf(out, "Musa works as %s (policy %s, %s)\n", o.Node, o.InForce().Policy, o.InForce().Version)
	return o.run(ctx)
}
