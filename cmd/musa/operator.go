package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"musa"
	"musa/retention"
)

// operatorCmd is `musa operator`. Each of its commands may run beside a server over the same
// store; nobody gets in by a default password, because there is none.
type operatorCmd struct {
	Add    operatorAddCmd    `cmd:"" help:"Add somebody in a role, and print their token once; with --to, give a role to a person who is there."`
	List   operatorListCmd   `cmd:"" help:"List who holds which role."`
	Remove operatorRemoveCmd `cmd:"" help:"Take roles back and end the sessions of who held them; with --role, take only that role back."`
	Tier   operatorTierCmd   `cmd:"" help:"Set a person's tier, and say what that ends and when."`
}

type operatorAddCmd struct {
	Settings
	Role string `help:"operator, support, moderator or compliance, as far as the policy lists it." default:"operator"`
	To   string `help:"A person who is there already." placeholder:"SUBJECT"`
	JSON bool   `name:"json" help:"Print JSON."`
}

// addedStaff is what `operator add --json` prints.
type addedStaff struct {
	Subject string     `json:"subject"`
	Role    string     `json:"role"`
	Token   string     `json:"token,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

// Run prints a token that is stored nowhere.
func (c *operatorAddCmd) Run(ctx context.Context, out io.Writer) error {
	return c.within(ctx, func(o *opened) error {
		if c.To != "" {
			id, err := person(c.To)
			if err == nil {
				err = o.Accounts.GiveRole(ctx, id, musa.Role(c.Role))
			}
			if err != nil {
				return unknownPerson(err)
			}
			return c.print(out, addedStaff{Subject: c.To, Role: c.Role})
		}
		s, err := o.Accounts.AddStaff(ctx, musa.Role(c.Role))
		if err != nil {
			return err
		}
		expires := s.Expires.Time()
		return c.print(out, addedStaff{Subject: string(s.Subject), Role: c.Role, Token: s.Token, Expires: &expires})
	})
}

func (c *operatorAddCmd) print(out io.Writer, a addedStaff) error {
	if c.JSON {
		return printJSON(out, a)
	}
	words := fmt.Sprintf("subject  %s\nrole     %s\n", a.Subject, a.Role)
	if a.Token != "" {
		words += fmt.Sprintf("token    %s\nexpires  %s unless it is used\n\nThe token is shown this once and stored nowhere. Paste it at /admin, or send it as\nAuthorization: Bearer.\n",
			a.Token, a.Expires.Format(time.RFC3339))
	}
	_, err := io.WriteString(out, words)
	return err
}

type operatorListCmd struct {
	Settings
	JSON bool `name:"json" help:"Print JSON."`
}

// listedStaff is one line of `operator list --json`.
type listedStaff struct {
	Subject string      `json:"subject"`
	Roles   []musa.Role `json:"roles"`
	Since   time.Time   `json:"since"`
}

// Run lists who holds a role.
func (c *operatorListCmd) Run(ctx context.Context, out io.Writer) error {
	return c.within(ctx, func(o *opened) error {
		all, err := o.Accounts.AllStaff(ctx)
		if err != nil {
			return err
		}
		list := make([]listedStaff, len(all))
		for i, s := range all {
			list[i] = listedStaff{Subject: string(s.Subject), Roles: s.Roles, Since: s.Since.Time()}
		}
		if c.JSON {
			return printJSON(out, list)
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, s := range list {
			fmt.Fprintf(w, "%s\t%s\tsince %s\n", s.Subject, roleNames(s.Roles), s.Since.Format(time.RFC3339))
		}
		if len(list) == 0 {
			fmt.Fprintln(w, "Nobody holds a role. Add somebody with `musa operator add`.")
		}
		return w.Flush()
	})
}

func roleNames(roles []musa.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

type operatorRemoveCmd struct {
	Settings
	Role    string `help:"Take only this role back, and leave the person signed in." placeholder:"ROLE"`
	Subject string `arg:"" help:"Who, as the list names them."`
}

// Run takes roles back.
func (c *operatorRemoveCmd) Run(ctx context.Context, out io.Writer) error {
	return c.within(ctx, func(o *opened) error {
		id, err := person(c.Subject)
		switch {
		case err != nil:
		case c.Role != "":
			err = o.Accounts.RevokeRole(ctx, id, musa.Role(c.Role))
		default:
			err = o.Accounts.RemoveStaff(ctx, id)
		}
		if err != nil {
			return unknownPerson(err)
		}
		_, err = fmt.Fprintln(out, "removed")
		return err
	})
}

type operatorTierCmd struct {
	Settings
	Subject string `arg:"" help:"Whose tier; a person reads their id on their own page."`
	Tier    string `arg:"" help:"A tier that the policy declares."`
	Preview bool   `help:"Only say what it would end."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// tierMoment is when some things go because of a change.
type tierMoment struct {
	At    time.Time `json:"at"`
	Items int       `json:"items"`
}

// tierForecast is what `operator tier --json` prints.
type tierForecast struct {
	Now     int          `json:"now"`
	Sooner  int          `json:"sooner"`
	Later   int          `json:"later"`
	Moments []tierMoment `json:"moments"`
	Notice  *time.Time   `json:"notice,omitempty"`
}

// Run changes a tier by the same door as everything else that ends things.
func (c *operatorTierCmd) Run(ctx context.Context, out io.Writer) error {
	return c.within(ctx, func(o *opened) error {
		id, err := person(c.Subject)
		if err != nil {
			return unknownPerson(err)
		}
		by, change := musa.Actor{Role: musa.RoleOperator}, retention.Change{Tier: musa.Tier(c.Tier)}
		do := o.Keeper.Change
		if c.Preview {
			do = o.Keeper.Forecast
		}
		f, err := do(ctx, by, id, change)
		if err != nil {
			return unknownPerson(err)
		}
		return c.print(out, f)
	})
}

func (c *operatorTierCmd) print(out io.Writer, f retention.Forecast) error {
	t := tierForecast{Now: f.Now, Sooner: f.Sooner, Later: f.Later, Moments: []tierMoment{}}
	for _, m := range f.Moments {
		t.Moments = append(t.Moments, tierMoment{At: m.At.Time(), Items: m.Items})
	}
	if f.Notice > 0 {
		at := f.Notice.Time()
		t.Notice = &at
	}
	if c.JSON {
		return printJSON(out, t)
	}
	fmt.Fprintf(out, "tier %s: %d end at once, %d sooner, %d later\n", c.Tier, t.Now, t.Sooner, t.Later)
	for _, m := range t.Moments {
		fmt.Fprintf(out, "  %d end at %s\n", m.Items, m.At.Format(time.RFC3339))
	}
	if t.Notice != nil {
		fmt.Fprintf(out, "nothing ends sooner before %s; the person is told on their page\n", t.Notice.Format(time.RFC3339))
	}
	return nil
}

// within opens a house beside whatever runs over the store, and closes it.
func (s Settings) within(ctx context.Context, do func(*opened) error) (err error) {
	o, err := s.beside(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	return do(o)
}

func person(subject string) (musa.SubjectID, error) { return musa.ParseSubjectID(subject) }

func unknownPerson(err error) error {
	var p *musa.Problem
	if !errors.Is(err, musa.ErrNotFound) || errors.As(err, &p) {
		return err
	}
	return &musa.Problem{Kind: musa.ErrNotFound, Code: "subject_unknown", Field: "subject", Cause: err,
		Public: "Nobody of this id is here, or not in that role. `musa operator list` names who holds one."}
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
