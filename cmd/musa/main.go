// Command musa runs a studio for AI images whose privacy policy is a program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"musa"
)

// commands is the whole command line. Each command has a file of its own.
type commands struct {
	Serve    serveCmd    `cmd:"" help:"Run everything in one process: pages, API, runner, retention."`
	Work     workCmd     `cmd:"" help:"Run a runner node beside servers that share its database, blobs and NATS."`
	Policy   PolicyCmd   `cmd:"" help:"Check, show and explain policy documents."`
	Verify   VerifyCmd   `cmd:"" help:"Audit a store: what is overdue, what remains, what does not add up."`
	Audit    AuditCmd    `cmd:"" help:"Check the audit log."`
	Backup   backupCmd   `cmd:"" help:"Copy the store into the backup target, and list its copies."`
	Restore  restoreCmd  `cmd:"" help:"Make a store again of a copy; also moves between databases and blob stores."`
	Receipt  ReceiptCmd  `cmd:"" help:"Check receipts of erasures, offline."`
	Models   modelsCmd   `cmd:"" help:"Fetch and list the neural networks."`
	Keys     keysCmd     `cmd:"" help:"Care for the instance's key file."`
	Operator operatorCmd `cmd:"" help:"Say who works for the instance, in which role, and set a person's tier."`
	Doctor   doctorCmd   `cmd:"" help:"Say what this machine has and lacks."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	Config string `help:"Settings file." default:"musa.yaml" placeholder:"FILE" env:"MUSA_CONFIG"`
}

// failure is an error that has been told already; only its status is left.
type failure int

func (f failure) Error() string { return fmt.Sprintf("exit status %d", int(f)) }

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program as tests can call it. It returns the exit status: 0 done, 1 the command
// found fault, 2 it could not be carried out.
func run(args []string, out, errs io.Writer) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("musa"), kong.Description("A studio for AI images whose privacy policy is a program."),
		kong.UsageOnError(), kong.Writers(out, errs), kong.DefaultEnvars("MUSA"), kong.Resolvers(fileSettings(args)),
		kong.BindTo(out, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(errs, "musa:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed, err := parser.Parse(args)
	if err != nil {
		tell(errs, err)
		return 2
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run()
	var told failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &told):
		return int(told)
	}
	tell(errs, err)
	return 2
}

// tell prints an error for an operator: the words of a problem first, its cause after.
func tell(w io.Writer, err error) {
	var p *musa.Problem
	if !errors.As(err, &p) || p.Public == "" {
		fmt.Fprintln(w, "musa:", err)
		return
	}
	if p.Field != "" {
		fmt.Fprintf(w, "musa: %s: %s\n", p.Field, p.Public)
	} else {
		fmt.Fprintln(w, "musa:", p.Public)
	}
	if p.Cause != nil {
		fmt.Fprintln(w, "      cause:", p.Cause)
	}
}
