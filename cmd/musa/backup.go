package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"musa"
	"musa/backup"
	"musa/blob"
	"musa/blob/files"
	"musa/blob/s3"
	"musa/db"
	"musa/egress"
	"musa/house"
	"musa/policy"
	"musa/seal"
)

// backupCmd is `musa backup`. It may run beside a server over the same store.
type backupCmd struct {
	Make backupMakeCmd `cmd:"" default:"withargs" help:"Copy the store into the backup target now."`
	List backupListCmd `cmd:"" help:"List the copies in the backup target."`
}

type backupMakeCmd struct {
	Settings
	To   string `help:"Another target than the setting backup, such as to move the store: file:///DIR or s3://…." placeholder:"URL"`
	JSON bool   `name:"json" help:"Print JSON."`
}

type backupListCmd struct {
	Settings
	From string `help:"Another target than the setting backup." placeholder:"URL"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// noBackup is the setting of an operator who wants none any more.
const noBackup = "none"

// target opens the backup target that a URL names, and gives it a name that is the same on
// every node and tells nothing. This and store are where drivers are chosen.
func (s Settings) target(ctx context.Context, raw string, dialer *egress.Dialer) (store blob.Store, name string, err error) {
	canonical := raw
	switch {
	case strings.HasPrefix(raw, "s3://"):
		store, err = s3.New(ctx, s3.Config{URL: raw, AccessKey: s.S3Key, SecretKey: s.S3Secret, HTTPClient: dialer.HTTPClient("backup")})
	case strings.HasPrefix(raw, "file://"):
		var u *url.URL
		if u, err = url.Parse(raw); err != nil || u.Host != "" || !filepath.IsAbs(u.Path) {
			return nil, "", backupURL()
		}
		canonical = filepath.Clean(u.Path)
		store, err = files.New(canonical)
	default:
		return nil, "", backupURL()
	}
	if err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256([]byte(canonical))
	return store, "bt_" + hex.EncodeToString(sum[:10]), store.Check(ctx)
}

func backupURL() error {
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "backup_url", Field: "backup",
		Public: "The backup target is a URL: file:///DIRECTORY, with three slashes, or s3://BUCKET?region=…. It lies apart from the data, best on another machine."}
}

// backupStore is a store opened for a command that copies or lists.
type backupStore struct {
	db     *db.DB
	blobs  blob.Store
	keys   *seal.Keyset
	target blob.Store
	name   string
	aside  bool // no server keeps its journal in this target
}

// besides opens a store that exists, and a target.
func (s Settings) besides(ctx context.Context, target string) (o *backupStore, err error) {
	if target == "" || target == noBackup {
		return nil, backupURL()
	}
	if s.DB == "" {
		if err := verifyThere(filepath.Join(s.Data, "musa.db"), "data", "The database"); err != nil {
			return nil, err
		}
	}
	o = &backupStore{}
	if o.keys, err = seal.Load(s.Keys); err != nil {
		return nil, err
	}
	s.Backup = target
	dialer, err := s.dialer()
	if err != nil {
		return nil, err
	}
	if o.target, o.name, err = s.target(ctx, target, dialer); err != nil {
		return nil, err
	}
	if o.blobs, err = s.store(ctx, dialer); err != nil {
		return nil, err
	}
	if o.db, err = db.Open(ctx, db.Config{URL: s.DB, Path: filepath.Join(s.Data, "musa.db"), Dial: dialer.For("database"), Clock: time.Now, Log: s.logger()}); err != nil {
		return nil, err
	}
	err = o.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		bound, err := tx.Instance(ctx, "")
		if err != nil {
			return err
		}
		known, err := tx.Target(ctx)
		o.aside = known != o.name
		return errors.Join(err, o.keys.Require(bound.Keyset))
	})
	if err != nil {
		return nil, errors.Join(err, o.db.Close())
	}
	return o, nil
}

// Run copies, and says what that is good for.
func (c *backupMakeCmd) Run(ctx context.Context, out io.Writer) (err error) {
	target := c.Backup
	if c.To != "" {
		target = c.To
	}
	o, err := c.besides(ctx, target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.db.Close()) }()
	versions, err := house.VersionsOf(ctx, o.db)
	if err != nil {
		return err
	}
	a := backup.New(backup.Config{DB: o.db, Blobs: o.blobs, Target: o.target, Keys: o.keys, Clock: time.Now, Log: c.logger(), Node: c.node(),
		Policy: func() *policy.Document { return versions.InForce(musa.At(time.Now())) }, Aside: o.aside, Progress: verifyProgress(os.Stderr)})
	made, err := a.Make(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(made)
	}
	fmt.Fprintf(out, "%s: %d rows, %d blobs, %d keys; %d bytes written\n", made.ID, made.Rows, made.Blobs, made.Keys, made.Bytes)
	if o.aside {
		fmt.Fprintln(out, "No server keeps its journal in this target: the copy knows no erasure after this moment. "+
			"Use it to move the store while no server runs, with musa restore --moved, then remove it; for backups start the server with --backup.")
	}
	return nil
}

// Run lists.
func (c *backupListCmd) Run(ctx context.Context, out io.Writer) (err error) {
	target := c.Backup
	if c.From != "" {
		target = c.From
	}
	if target == "" || target == noBackup {
		return backupURL()
	}
	keys, err := seal.Load(c.Keys)
	if err != nil {
		return err
	}
	c.Settings.Backup = target
	dialer, err := c.dialer()
	if err != nil {
		return err
	}
	store, _, err := c.target(ctx, target, dialer)
	if err != nil {
		return err
	}
	list, err := backup.New(backup.Config{Target: store, Keys: keys}).List(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(list)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "COPY\tOF\tROWS\tBLOBS\tKEYS\tJOURNAL")
	for _, one := range list {
		follows := "follows"
		if one.Aside {
			follows = "none: to move only"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\n", one.ID, one.At.Time().Format(time.RFC3339), one.Rows, one.Blobs, one.Keys, follows)
	}
	return w.Flush()
}
