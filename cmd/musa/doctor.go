package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"

	"musa/neural"
	"musa/pix"
	"musa/policies"
	"musa/seal"
)

type doctorCmd struct {
	Settings
	Listen string `help:"Address that a server would listen on." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
}

// Run looks at what a server would need and says what is wrong, without changing anything.
func (c *doctorCmd) Run(out io.Writer) error {
	bad := 0
	check := func(name string, err error, well string) {
		if err == nil {
			fmt.Fprintf(out, "ok    %-10s %s\n", name, well)
			return
		}
		bad++
		fmt.Fprintf(out, "wrong %-10s ", name)
		tell(out, err)
	}
	err := pix.Start(pix.Config{Library: c.Vips})
	var v string
	if err == nil {
		v, err = pix.Version()
	}
	check("pictures", err, "libvips "+v)
	doc, err := policies.Load(c.Policy, os.ReadFile)
	if err == nil {
		check("policy", nil, doc.Policy+" "+doc.Version)
	} else {
		check("policy", err, "")
	}
	nets := neural.Open(c.Models)
	for _, n := range neural.Networks() {
		check("network", nets.Ready(n), string(n))
	}
	if _, err := seal.Load(c.Keys); err == nil || c.hasData() {
		check("keys", err, c.Keys)
	} else {
		check("keys", nil, "none yet; the first start makes "+c.Keys)
	}
	_, err = exec.LookPath("npm")
	check("npm", err, "there, to fetch networks")
	l, err := net.Listen("tcp", c.Listen)
	if err == nil {
		err = l.Close()
	}
	check("port", err, c.Listen+" is free")
	if bad > 0 {
		return failure(1)
	}
	return nets.Close()
}

func (c *doctorCmd) hasData() bool {
	entries, err := os.ReadDir(c.Data)
	return err == nil && len(entries) > 0
}
