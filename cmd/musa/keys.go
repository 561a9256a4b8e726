package main

import (
	"fmt"
	"io"

	"musa/seal"
)

type keysCmd struct {
	Rotate keysRotateCmd `cmd:"" help:"Add a new wrapping key; what the old ones closed still opens."`
	Show   keysShowCmd   `cmd:"" help:"Print the keyset's public name."`
}

type keysRotateCmd struct {
	Keys string `help:"The instance's key file." default:"./musa.keys" placeholder:"FILE"`
}

// Run rotates.
func (c *keysRotateCmd) Run(out io.Writer) error {
	k, err := seal.Load(c.Keys)
	if err != nil {
		return err
	}
	if err := k.Rotate(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "rotated; restart the servers that use this file, and copy it to where you keep its copy")
	return err
}

type keysShowCmd struct {
	Keys string `help:"The instance's key file." default:"./musa.keys" placeholder:"FILE"`
}

// Run shows.
func (c *keysShowCmd) Run(out io.Writer) error {
	k, err := seal.Load(c.Keys)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, k.ID())
	return err
}
