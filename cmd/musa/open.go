package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"musa"
	"musa/api"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/egress"
	"musa/engine"
	"musa/engine/local"
	"musa/house"
	"musa/neural"
	"musa/notice"
	"musa/pix"
	"musa/queue"
	"musa/seal"
)

// opened is a house with the parts that have to be closed after it.
type opened struct {
	*house.House
	nets    *neural.Runtime
	closers []func() error
}

// Close closes the parts, the last opened first.
func (o *opened) Close() error {
	var errs []error
	for i := len(o.closers) - 1; i >= 0; i-- {
		errs = append(errs, o.closers[i]())
	}
	return errors.Join(errs...)
}

// idle is after how long an unused network gives its memory back.
const idle = 5 * time.Minute

// run runs the loops and whatever else until ctx ends or one of them fails.
func (o *opened) run(ctx context.Context, more ...house.Loop) error {
	// A start leaves ten times as much garbage as what stays. An idle house would keep it
	// until its first collection, minutes later.
	debug.FreeOSMemory()
	return house.Run(ctx, append(o.loops(), more...)...)
}

// settled is how long after the start its first self-tests have run: that of the passwords takes
// 19 MiB.
const settled = 3 * time.Second

// loops are the house's, and the one that gives memory back: of the start, and of idle networks.
func (o *opened) loops() []house.Loop {
	return append(o.Loops(), func(ctx context.Context) error {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		start := time.NewTimer(settled)
		defer start.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-start.C:
				debug.FreeOSMemory()
			case <-tick.C:
				if err := o.nets.Release(ctx, idle); err != nil && ctx.Err() == nil {
					o.Log.Warn("release idle networks", "err", err)
				}
			}
		}
	})
}

// memory bounds the bytes of uploads and plans held at once on a node, unless the largest
// upload alone needs more.
const memory = 512 << 20

// beside opens a house for a command that may run beside a server: it brings no policy of its
// own, recovers nothing and runs no loops.
func (s Settings) beside(ctx context.Context) (*opened, error) {
	return s.build(ctx, house.Config{Log: s.logger(), Beside: true})
}

// build opens every part that the settings name and builds the house from them. This is the one
// place where drivers are chosen.
func (s Settings) build(ctx context.Context, c house.Config) (o *opened, err error) {
	o = &opened{}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	if s.Providers.wrong != nil {
		return o, s.Providers.wrong
	}
	doc, err := s.load()
	if err != nil {
		return o, err
	}
	if err := pix.Start(pix.Config{Library: s.Vips}); err != nil {
		return o, err
	}
	if s.DB == "" || s.Blobs == "" {
		if err := os.MkdirAll(s.Data, 0o700); err != nil {
			return o, &musa.Problem{Kind: musa.ErrUnavailable, Code: "data_unwritable", Field: "data", Cause: err,
				Public: "The data folder cannot be made. Name another with --data, or mend the rights of its parent."}
		}
	}
	if s.DB == "" && s.NATS == "" && !c.Beside {
		free, err := alone(s.Data)
		if err != nil {
			return o, err
		}
		o.closers = append(o.closers, free)
	}
	dialer, err := s.reaching(egress.Config{Processors: processors(doc, s.Providers.ports()), AllowPrivate: s.PrivateProcessors})
	if err != nil {
		return o, err
	}
	if !c.Beside {
		if err := s.Providers.declared(doc); err != nil {
			return o, err
		}
	}
	c.Providers, c.PublicURL = s.Providers.connected(dialer), s.PublicURL
	if s.SMTP != "" && !c.Beside {
		c.Mail = notice.Mail{URL: s.SMTP, From: s.MailFrom, Dial: dialer.For("mail")}
	}
	log := c.Log
	c.Policy, c.Clock, c.Node, c.Version, c.Cookies, c.Session = doc, time.Now, s.node(), version(), api.CookiesPlain, session
	c.Memory, c.Allowance, c.Price, c.Width = max(memory, 3*s.MaxUpload<<20), s.GuestCredits, 1, s.Width
	if strings.HasPrefix(s.PublicURL, "https://") {
		c.Cookies = api.CookiesSecure
	}
	if c.DB, err = db.Open(ctx, db.Config{URL: s.DB, Path: filepath.Join(s.Data, "musa.db"), Dial: dialer.For("database"), Clock: c.Clock, Log: log}); err != nil {
		return o, err
	}
	o.closers = append(o.closers, c.DB.Close)
	if c.DB.Dialect() == db.PostgreSQL {
		c.ScrubEvery = 10 * time.Second // a rewrite of partitions is worth gathering for
	}
	if c.Keys, err = s.keyset(ctx, c.DB); err != nil {
		return o, err
	}
	if c.Blobs, err = s.store(ctx, dialer); err != nil {
		return o, err
	}
	if err := c.Blobs.Check(ctx); err != nil {
		return o, err
	}
	c.Backup = house.Backup{GiveUp: s.Backup == noBackup, Scratch: filepath.Join(s.Data, "rehearsal"),
		Folder: func(dir string) (blob.Store, error) { return files.New(dir) }}
	if s.Backup != "" && !c.Backup.GiveUp {
		if c.Backup.Target, c.Backup.Name, err = s.target(ctx, s.Backup, dialer); err != nil {
			return o, err
		}
	}
	if c.Queue, err = queue.Open(ctx, queue.Config{URL: s.NATS, Dial: dialer.For("nats"), Log: log}); err != nil {
		return o, err
	}
	o.closers = append(o.closers, func() error { c.Queue.Close(); return nil })
	c.Limits = pix.DefaultLimits()
	c.Limits.Bytes, c.Limits.Pixels = s.MaxUpload<<20, s.MaxPixels*1_000_000
	o.nets = neural.Open(s.Models)
	o.closers = append(o.closers, o.nets.Close)
	own, err := local.New(local.Config{Models: o.nets, Limits: c.Limits})
	if err != nil {
		return o, err
	}
	c.Engine, c.Engines = own.Name(), map[string]engine.Engine{own.Name(): own}
	o.House, err = house.New(ctx, c)
	return o, err
}

// alone keeps a data folder to one server until free is called or the process ends: two with a queue
// of their own each would not hear of what the other hides and cuts off.
func alone(dir string) (free func() error, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(&musa.Problem{Kind: musa.ErrUnavailable, Code: "data_served", Field: "data",
			Public: "Another server serves this data folder. Stop it, or name another with --data. Several servers over one store need a queue between them: --nats."}, f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data folder: %w", err), f.Close())
	}
	return f.Close, nil
}

// keyset loads the instance's keys, and makes them for a store that is new. A store that
// has data and no keys is refused: new keys would open nothing of it.
func (s Settings) keyset(ctx context.Context, d *db.DB) (*seal.Keyset, error) {
	keys, err := seal.Load(s.Keys)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	var bound db.Instance
	look := d.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		bound, err = tx.Instance(ctx, "")
		return err
	})
	if errors.Is(look, musa.ErrNotFound) {
		return seal.Create(s.Keys)
	}
	if look != nil {
		return nil, fmt.Errorf("look for the keyset's name: %w", look)
	}
	return nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "keyset_missing", Field: "keys",
		Public: fmt.Sprintf("The key file %s is not there, and this store was sealed under keyset %s. Put that file back, or name it with --keys: no other opens anything here.", s.Keys, bound.Keyset)}
}

func (s Settings) store(ctx context.Context, dialer *egress.Dialer) (blob.Store, error) {
	if s.Blobs == "" {
		return files.New(filepath.Join(s.Data, "blobs"))
	}
	return s3.New(ctx, s3.Config{URL: s.Blobs, AccessKey: s.S3Key, SecretKey: s.S3Secret, HTTPClient: dialer.HTTPClient("blobs")})
}

// dialer lets out to what the settings name, and to nothing else.
func (s Settings) dialer() (*egress.Dialer, error) { return s.reaching(egress.Config{}) }

// reaching lets out to what the settings name, besides.
func (s Settings) reaching(c egress.Config) (*egress.Dialer, error) {
	for _, u := range []struct{ setting, value, port string }{
		{"db", s.DB, "5432"}, {"blobs", endpoint(s.Blobs), "443"}, {"nats", s.NATS, "4222"}, {"smtp", mailServer(s.SMTP), "587"}, {"backup", endpoint(s.Backup), "443"},
	} {
		for one := range strings.SplitSeq(u.value, ",") {
			if one == "" || strings.HasPrefix(one, "sqlite:") {
				continue
			}
			parsed, err := url.Parse(one)
			if err != nil || (parsed.Host == "" && parsed.Query().Get("host") == "") {
				return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "setting_url", Field: u.setting,
					Public: "This setting takes a URL with a host. See `musa serve --help`."}
			}
			c.Allow = append(c.Allow, hosts(parsed, u.port)...)
		}
	}
	return egress.New(c)
}

// hosts lists where a URL leads: its host, or the folder of a Unix socket.
func hosts(u *url.URL, port string) []string {
	if dir := u.Query().Get("host"); strings.HasPrefix(dir, "/") {
		p := u.Query().Get("port")
		if p == "" {
			p = port
		}
		return []string{filepath.Join(dir, ".s.PGSQL."+p)}
	}
	if u.Port() != "" {
		return []string{u.Host}
	}
	if u.Scheme == "http" {
		port = "80"
	}
	return []string{u.Hostname() + ":" + port}
}

// mailServer is the mail server's URL without the name and password, with its port.
func mailServer(smtp string) string {
	u, err := url.Parse(smtp)
	if err != nil || u.Host == "" {
		return smtp
	}
	return u.Scheme + "://" + notice.HostPort(u)
}

// endpoint is where an s3:// URL leads.
func endpoint(blobs string) string {
	u, err := url.Parse(blobs)
	if err != nil || u.Scheme != "s3" {
		return ""
	}
	if e := u.Query().Get("endpoint"); e != "" {
		return e
	}
	return "https://s3." + u.Query().Get("region") + ".amazonaws.com"
}

// node makes up a name where none is set. It must be new for each process, since leases are
// held in it.
func (s Settings) node() string {
	if s.Node != "" {
		return s.Node
	}
	var raw [6]byte
	rand.Read(raw[:])
	return "node-" + hex.EncodeToString(raw[:])
}

// logger writes to standard error.
func (s Settings) logger() *slog.Logger {
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}
