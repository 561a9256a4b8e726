package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/alecthomas/kong"

	"musa"
	"musa/api"
	"musa/house"
)

type serveCmd struct {
	Settings
	Listen string `help:"Address to listen on." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`

	TrustedProxies proxies `help:"Networks of the reverse proxies in front: 10.0.0.0/8, fd00::/8, …. Only their X-Forwarded-For, Forwarded and X-Forwarded-Proto count." placeholder:"CIDRS"`
}

// proxies are networks, with spaces or commas between; a list in musa.yaml. What is wrong with them
// is told at the start, as with Providers.
type proxies struct {
	list  api.Proxies
	wrong error
}

// Decode implements kong.MapperValue.
func (p *proxies) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("networks", &text); err != nil {
		return err
	}
	list, err := api.ParseProxies(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }))
	p.list, p.wrong = append(p.list, list...), errors.Join(p.wrong, err)
	return nil
}

// grace is how long open requests may take when the server is told to stop.
const grace = 5 * time.Second

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, out io.Writer) (err error) {
	if err := errors.Join(c.TrustedProxies.wrong, c.Providers.wrong, harden()); err != nil {
		return err
	}
	// The port first: nothing is opened or made for a server that cannot be reached.
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + listener.Addr().String()
		if a, ok := listener.Addr().(*net.TCPAddr); ok && (a.IP.IsLoopback() || a.IP.IsUnspecified()) {
			c.PublicURL = fmt.Sprintf("http://localhost:%d", a.Port) // a name, which passkeys need
		}
	}
	log := c.logger()
	o, err := c.build(ctx, house.Config{Log: log, Proxies: c.TrustedProxies.list})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := o.Recover(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	fmt.Fprintf(out, "Musa is open at http://%s (policy %s, %s)\n", listener.Addr(), o.InForce().Policy, o.InForce().Version)
	return o.run(ctx, func(ctx context.Context) error { return serve(ctx, listener, o.Handler(), log) })
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
