package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/house"
	"musa/policies"
	"musa/policy"
	"musa/retention"
)

// PolicyPublishCmd is `musa policy publish`. It needs the database alone, and may run beside
// servers: they take the version up within a second.
type PolicyPublishCmd struct {
	Settings
	Document string `arg:"" name:"policy" help:"Preset or file."`
	DryRun   bool   `name:"dry-run" help:"Say what it would change, and change nothing."`
	JSON     bool   `name:"json" help:"Print JSON."`
}

// published is what `policy publish --json` prints.
type published struct {
	Version   string               `json:"version"`
	Effective time.Time            `json:"effective"`
	Replaces  string               `json:"replaces,omitempty"`
	Now       int                  `json:"now"`    // items that end when it takes effect
	Sooner    int                  `json:"sooner"` // items that end sooner, later than that
	Moments   []publishedMoment    `json:"moments"`
	Changes   []policy.Differences `json:"changes"`
	DryRun    bool                 `json:"dry_run,omitempty"`
}

type publishedMoment struct {
	At    time.Time `json:"at"`
	Items int       `json:"items"`
}

// Run publishes, after it has looked at what that does to what exists.
func (c *PolicyPublishCmd) Run(ctx context.Context, out io.Writer) (err error) {
	doc, err := policyNamed(c.Document)
	if err != nil {
		return err
	}
	d, err := c.database(ctx, c.logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	now := musa.At(time.Now())
	p, err := foresee(ctx, d, doc, now)
	if err != nil {
		return err
	}
	p.DryRun = c.DryRun
	if !c.DryRun {
		if err := house.Publish(ctx, d, doc); err != nil {
			return err
		}
	}
	if c.JSON {
		return policyJSON(out, p)
	}
	return p.print(out, now)
}

// database opens the database that the settings name; on SQLite one that is there.
func (s Settings) database(ctx context.Context, log *slog.Logger) (*db.DB, error) {
	path := filepath.Join(s.Data, "musa.db")
	if s.DB == "" {
		if err := verifyThere(path, "data", "The database"); err != nil {
			return nil, err
		}
	}
	dialer, err := s.dialer()
	if err != nil {
		return nil, err
	}
	return db.Open(ctx, db.Config{URL: s.DB, Path: path, Dial: dialer.For("database"), Clock: time.Now, Log: log})
}

// foresee looks at what a version would change in a store.
func foresee(ctx context.Context, d *db.DB, doc *policy.Document, now musa.Millis) (published, error) {
	effective, err := house.Effect(doc)
	if err != nil {
		return published{}, err
	}
	effective = max(effective, now)
	p := published{Version: doc.Ref(), Effective: effective.Time(), Moments: []publishedMoment{}, Changes: []policy.Differences{}}
	all := []policy.Adoption{}
	was, err := house.Taken(ctx, d, nil)
	switch {
	case errors.Is(err, musa.ErrInvalid): // nothing was taken up yet
	case err != nil:
		return published{}, err
	default:
		all = was.Versions.List()
		before := was.Versions.InForce(effective)
		p.Replaces, p.Changes = before.Ref(), append(p.Changes, policy.Diff(before, doc)...)
	}
	will, err := policy.NewVersions(append(all, policy.Adoption{Doc: doc, Published: now, Effective: effective})...)
	if err != nil {
		return published{}, err
	}
	f, err := retention.Preview(ctx, d, will, now)
	if err != nil {
		return published{}, err
	}
	p.Now, p.Sooner = f.Now, f.Sooner
	for _, m := range f.Moments {
		p.Moments = append(p.Moments, publishedMoment{m.At.Time(), m.Items})
	}
	return p, nil
}

func (p published) print(w io.Writer, now musa.Millis) error {
	var b strings.Builder
	verb := "Published"
	if p.DryRun {
		verb = "Not published, only looked at:"
	}
	when := "decides from now on"
	if musa.At(p.Effective) > now {
		when = "takes effect on " + p.Effective.Format(time.RFC3339)
	}
	fmt.Fprintf(&b, "%s %s; it %s.\n", verb, p.Version, when)
	if p.Replaces != "" && p.Replaces != p.Version {
		fmt.Fprintf(&b, "\nWhat it changes from %s:\n\n", p.Replaces)
		if err := policyChanges(&b, p.Changes); err != nil {
			return err
		}
	}
	fmt.Fprintf(&b, "\nOf what exists %d items end at once and %d will end sooner than now. Nothing is kept longer.\n", p.Now, p.Sooner)
	for _, m := range p.Moments {
		fmt.Fprintf(&b, "  from %s: %d\n", m.At.Format(time.RFC3339), m.Items)
	}
	if !p.DryRun {
		b.WriteString("\nServers over this store take it up within a second. Name it in their setting `policy`, too:\none that starts with another takes up that one.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// load reads the policy that the settings name. One that lacks what the program holds, as
// after an upgrade, is refused with the lines to paste.
func (s Settings) load() (*policy.Document, error) {
	doc, err := policies.Load(s.Policy, os.ReadFile)
	if err == nil {
		return doc, nil
	}
	lacking, parseErr := policies.Parse(s.Policy, os.ReadFile)
	if parseErr != nil || len(lacking.Lack()) == 0 {
		return nil, err
	}
	whole, wholeErr := policies.Load(policies.Default, os.ReadFile)
	if wholeErr != nil {
		return nil, wholeErr
	}
	var names []string
	for _, c := range lacking.Lack() {
		names = append(names, string(c))
	}
	return nil, &musa.Problem{Kind: musa.ErrInvalid, Code: "policy_incomplete", Field: "policy",
		Public: fmt.Sprintf("The policy does not say what becomes of %s, which this version of the program holds. Raise its version, and add these lines, with times of your own; a purpose that stands there already is replaced by its line here:\n\n%s",
			strings.Join(names, ", "), lacking.Paste(whole))}
}
