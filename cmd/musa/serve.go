package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"musa"
	"musa/api"
	"musa/house"
)

type serveCmd struct {
	Settings
	Listen string `help:"Address to listen on." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
}

// grace is how long open requests may take when the server is told to stop.
const grace = 5 * time.Second

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, out io.Writer) (err error) {
	if err := harden(); err != nil {
		return err
	}
	// The port first: nothing is opened or made for a server that cannot be reached.
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	log := c.logger()
	o, err := c.open(ctx, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.Recover(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Fprintf(out, "Musa is open at http://%s (policy %s, %s)\n", listener.Addr(), o.Policy.Policy, o.Policy.Version)
	return house.Run(ctx, append(o.loops(), func(ctx context.Context) error { return serve(ctx, listener, o.Handler(), log) })...)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		public := "This address cannot be listened on. Choose another with --listen."
		if errors.Is(err, syscall.EADDRINUSE) {
			public = "Another program listens on this address already. Stop it, or choose another with --listen."
		}
		return nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "address_taken", Field: "listen", Public: public, Cause: err}
	}
	return l, nil
}

// serve answers requests until ctx ends, then lets the open ones finish for a while.
func serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return base }, ConnContext: api.ConnContext}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	// Streams of events end now; the rest may finish.
	stop()
	wait, done := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer done()
	if err := srv.Shutdown(wait); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shut down: %w", err)
	}
	return srv.Close()
}

// harden keeps pictures out of core dumps.
func harden() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("switch off core dumps: %w", err)
	}
	return nil
}
