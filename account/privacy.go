package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"musa"
	"musa/db"
)

// noProcessor is how a list of processors says that none is allowed.
const noProcessor = "none"

// Privacy is what a workspace enforces on all in it, as every member sees it.
type Privacy struct {
	NoTraining musa.Millis   // since when nothing is used for training; 0 where members may agree to it
	Keep       time.Duration // that things stay, where the shortest is enforced; else 0
	Region     string
	Processors []string // the only ones that are sent anything; nil for all of the policy's
	Unlogged   musa.Millis
	SetBy      musa.SubjectID // who changed it last; empty once they left
	SetAt      musa.Millis
	Enforcable []string // what the policy lets a workspace enforce
}

// PrivacyWish is what an admin changes of it; nil leaves as it is.
type PrivacyWish struct {
	NoTraining *bool
	Region     *string
	Processors *[]string // empty for all of the policy's; "none" for none
}

func (a *Accounts) privacyOf(w db.Workspace, s db.Subject) Privacy {
	p := Privacy{NoTraining: w.NoTraining, Keep: time.Duration(w.Keep) * time.Millisecond, Region: w.Region, Unlogged: s.Unlogged,
		SetBy: w.SetBy, SetAt: w.SetAt, Enforcable: append([]string{}, a.Policy().Organisation.MayEnforce...)}
	if w.Processors != "" {
		p.Processors = slices.DeleteFunc(strings.Fields(w.Processors), func(n string) bool { return n == noProcessor })
	}
	return p
}

// Enforce settles something for all in the workspace, as far as the policy lets it: that nothing
// is used for training, from this commit on and whatever members agreed to; where its data lies;
// which processors are sent anything. Policy organisation.may_enforce. Promise C-35.
func (a *Accounts) Enforce(ctx context.Context, ws musa.Actor, wish PrivacyWish) error {
	if err := ws.May(musa.ActGovern); err != nil {
		return err
	}
	if err := a.enforceable(ws, wish); err != nil {
		return err
	}
	err := a.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Subject(ctx, ws.Subject); err != nil {
			return err
		}
		was, err := tx.Workspace(ctx, ws.Subject)
		if err != nil {
			return err
		}
		row := apply(was, wish, tx.Now)
		if row == was {
			return nil
		}
		row.SetBy, row.SetAt = ws.Author(), tx.Now
		if err := tx.SaveWorkspace(ctx, row); err != nil {
			return err
		}
		if err := a.Consent.Settle(ctx, tx, ws.Subject); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "workspace_enforced", Role: ws.Role, Subject: ws.Subject, Object: string(ws.Subject)})
	})
	if err != nil {
		return fmt.Errorf("enforce in %s: %w", ws.Subject, err)
	}
	return nil
}

// Changeable refuses, before anything is changed, what a change of a workspace may be refused for:
// another name (nil leaves it) together with what is settled is settled whole, or not at all.
func (a *Accounts) Changeable(ws musa.Actor, name *string, wish PrivacyWish) error {
	if err := ws.May(musa.ActGovern); err != nil {
		return err
	}
	if name != nil {
		if err := named(strings.TrimSpace(*name)); err != nil {
			return err
		}
	}
	return a.enforceable(ws, wish)
}

func apply(w db.Workspace, wish PrivacyWish, now musa.Millis) db.Workspace {
	if wish.NoTraining != nil && *wish.NoTraining != (w.NoTraining > 0) {
		w.NoTraining = 0
		if *wish.NoTraining {
			w.NoTraining = now
		}
	}
	if wish.Region != nil {
		w.Region = *wish.Region
	}
	if wish.Processors != nil {
		w.Processors = strings.Join(*wish.Processors, " ")
	}
	return w
}

// enforceable refuses what the document lets no workspace enforce, or does not know.
func (a *Accounts) enforceable(ws musa.Actor, wish PrivacyWish) error {
	doc := a.Policy()
	may := func(what string) error {
		if doc.Organisation.MayEnforce.Has(what) {
			return nil
		}
		return &musa.Problem{Kind: musa.ErrRefused, Code: "enforce_unlisted", Field: what,
			Public: "The policy does not let a workspace enforce this (organisation.may_enforce)."}
	}
	if wish.NoTraining != nil && *wish.NoTraining {
		if err := may("no_training"); err != nil {
			return err
		}
	}
	if wish.Region != nil && *wish.Region != "" {
		if err := may("region"); err != nil {
			return err
		}
		_, known := doc.Regions.Choices.Get(*wish.Region)
		if !known || !doc.Regions.ForTiers.Has(string(ws.Tier)) {
			return &musa.Problem{Kind: musa.ErrRefused, Code: "region_unknown", Field: "region",
				Public: "The policy offers no such region in this plan. It offers: " + listOr(doc.Regions.Choices.Names(), "none") + "."}
		}
	}
	if wish.Processors == nil || len(*wish.Processors) == 0 {
		return nil
	}
	if err := may("processors"); err != nil {
		return err
	}
	for _, name := range *wish.Processors {
		if _, known := doc.Processors.Get(name); !known && (name != noProcessor || len(*wish.Processors) > 1) {
			return &musa.Problem{Kind: musa.ErrInvalid, Code: "processor_unknown", Field: "processors",
				Public: "The policy names no such processor. It names: " + listOr(doc.Processors.Names(), "none") + ". To allow none at all, send none alone."}
		}
	}
	return nil
}

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
