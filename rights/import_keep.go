package rights

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"musa"
	"musa/consent"
	"musa/db"
	"musa/policy"
	"musa/queue"
	"musa/studio"
	"musa/vault"
)

// keep gives everything its row, some in each transaction, the oldest first so that what was
// made from something comes after it. What a failure in between leaves is whole pictures, and
// the answer says so; the same archive sent again adds the rest.
func (in *intake) keep(ctx context.Context) error {
	in.out.Archive, in.out.Made, in.out.Whole = in.manifest.ID, in.manifest.Made, true
	jobs, err := in.newJobs(ctx)
	if err != nil {
		return err
	}
	lines := slices.Clone(in.lines)
	slices.Reverse(lines)
	for some := range slices.Chunk(lines, takeBatch) {
		if err := in.pictures(ctx, some, jobs); err != nil {
			return in.partly(err)
		}
	}
	works := slices.Clone(in.works)
	slices.Reverse(works)
	for some := range slices.Chunk(works, takeBatch) {
		if err := in.jobs(ctx, some, jobs); err != nil {
			return in.partly(err)
		}
	}
	if err := in.close(ctx); err != nil {
		return in.partly(err)
	}
	in.leftOut()
	if err := in.drop(context.WithoutCancel(ctx)); err != nil { // what another import took over meanwhile
		in.Log.Warn("drop what came twice", "err", err)
	}
	if err := in.Queue.Broadcast(queue.Notice{Kind: queue.NoticeDue}); err != nil {
		in.Log.Warn("broadcast notice", "kind", queue.NoticeDue, "err", err)
	}
	return nil
}

// partly says how far an import came that could not go on.
func (in *intake) partly(err error) error {
	if in.out.Pictures+in.out.Jobs == 0 {
		return err
	}
	return &musa.Problem{Kind: musa.ErrUnavailable, Code: "import_partly", Field: "archive", Cause: err,
		Public: fmt.Sprintf("Only %d pictures and %d jobs of this archive were taken over before the server could not go on. Send the same archive again: what is here already does not come twice.", in.out.Pictures, in.out.Jobs)}
}

// place is where a job of the archive is here.
type place struct {
	id   musa.JobID
	here bool // it came before
}

func (in *intake) newJobs(ctx context.Context) (map[string]place, error) {
	out := map[string]place{}
	for some := range slices.Chunk(in.works, rowPage) {
		var tails []string
		for _, w := range some {
			tails = append(tails, musa.TailOf(in.of(w.ID)), db.TailIn(w.ID))
		}
		var found map[string]musa.JobID
		err := in.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			found, err = tx.ArrivedJobs(ctx, in.by.Subject, tails)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, w := range some {
			of := in.of(w.ID)
			p := place{id: musa.JobIDOf(in.stamp(len(out)), of)}
			if id, ok := found[musa.TailOf(of)]; ok {
				p = place{id, true}
			}
			if id := found[db.TailIn(w.ID)]; string(id) == w.ID {
				p = place{id, true}
			}
			out[w.ID] = p
		}
	}
	return out, nil
}

// own locks the owner's row, so that of two imports at once the second sees the first, and asks
// again what they allow: an archive may take hours to arrive.
func (in *intake) own(ctx context.Context, tx db.Tx) error {
	s, err := tx.Subject(ctx, in.by.Subject)
	if err != nil {
		return err
	}
	in.by.Standing = s.Standing()
	made := policy.Item{Owner: s.ID, Category: musa.CategoryOriginal, Tier: s.Tier, Created: tx.Now, New: true}
	return in.Policy().Decide(policy.Ask(tx.Now, in.by, musa.PurposeGenerate, made)).Err()
}

// pictures takes some pictures over in one transaction.
func (in *intake) pictures(ctx context.Context, lines []Line, jobs map[string]place) error {
	var came []Line
	err := in.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		came = nil
		if err := in.own(ctx, tx); err != nil {
			return err
		}
		var tails []string
		for _, l := range lines {
			tails = append(tails, musa.TailOf(in.of(l.ID)))
		}
		meanwhile, err := tx.ArrivedAssets(ctx, in.by.Subject, tails)
		if err != nil {
			return err
		}
		for _, l := range lines {
			a := in.taken[l.ID]
			if id, ok := meanwhile[musa.TailOf(in.of(l.ID))]; ok {
				in.there[l.ID] = id
			}
			if a == nil || in.there[l.ID] != "" {
				continue
			}
			if err := in.shelve(ctx, tx, a, l, jobs[l.Job]); err != nil {
				return err
			}
			came = append(came, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	in.out.Already += len(lines) - len(came)
	for _, l := range came {
		a := in.taken[l.ID]
		delete(in.taken, l.ID)
		in.there[l.ID] = a.Asset.ID
		in.out.Pictures++
		if a.Altered {
			in.out.Altered++
		}
		in.ends(l.Kind, a.Asset.Ends, a.Asset.Rule)
		in.named(l.ID, string(a.Asset.ID))
	}
	return nil
}

func (in *intake) shelve(ctx context.Context, tx db.Tx, a *studio.Arrived, l Line, job place) error {
	origin := l.Origin
	if origin == nil {
		origin = &studio.Origin{ID: l.ID, Created: l.Created, Job: l.Job}
		for _, s := range l.Sources {
			origin.Sources = append(origin.Sources, string(s))
		}
	}
	a.Info.Name, a.Info.Made, a.Info.Origin = l.Name, l.Made, origin
	if in.by.Standing.Unlogged {
		a.Info = a.Info.Wordless()
	}
	a.Asset.Saved, a.Asset.Commercial, a.Asset.Job = l.Saved, l.Sold, job.id
	if err := in.Studio.Shelve(ctx, tx, a, in.here(l.Sources)); err != nil {
		return err
	}
	if err := in.opine(ctx, tx, l.ID, a.Asset.ID); err != nil {
		return err
	}
	return in.refuse(ctx, tx, a.Asset.ID, l.Refuses)
}

// refuse says no again, for a picture, to what its owner refused for it elsewhere: a yes of theirs
// to all that is here must not take it in. A yes does not travel: it was given to somebody else.
func (in *intake) refuse(ctx context.Context, tx db.Tx, id musa.AssetID, consents []string) error {
	program := musa.Actor{Subject: in.by.Subject, Tier: in.by.Tier, Role: musa.RoleSystem, Standing: in.by.Standing}
	for _, name := range consents {
		if line, ok := in.Policy().Consents.Get(name); !ok || !line.Scope.Has("asset") {
			continue
		}
		if err := in.Consents.Give(ctx, tx, program, name, id, consent.No, consent.ViaImport); err != nil {
			return err
		}
	}
	return nil
}

// opine files what was said of a picture; there is one opinion of each.
func (in *intake) opine(ctx context.Context, tx db.Tx, was string, is musa.AssetID) error {
	i := slices.IndexFunc(in.feedback.Records, func(s Sealed) bool { return s.Asset == was })
	if i < 0 {
		return nil
	}
	said, err := opinionOf(in.feedback.Records[i].Content)
	if err != nil {
		return err
	}
	_, err = in.Vault.File(ctx, tx, vault.Filing{By: in.by, Purpose: musa.PurposeDeliver, Category: musa.CategoryFeedback, Asset: is, Content: said})
	if errors.Is(err, musa.ErrRefused) { // the policy here collects none
		return nil
	}
	return err
}

// here are the ids of those that came along, without repetition.
func (in *intake) here(ids []musa.AssetID) []musa.AssetID {
	var out []musa.AssetID
	for _, id := range ids {
		is := in.there[string(id)]
		if a := in.taken[string(id)]; is == "" && a != nil {
			is = a.Asset.ID
		}
		if is != "" && !slices.Contains(out, is) {
			out = append(out, is)
		}
	}
	return out
}

// jobs takes some jobs over, with what was said and chosen for them.
func (in *intake) jobs(ctx context.Context, works []Work, jobs map[string]place) error {
	var records []db.Record
	var came []Work
	err := in.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		records, came = nil, nil
		if err := in.own(ctx, tx); err != nil {
			return err
		}
		var tails []string
		for _, w := range works {
			tails = append(tails, musa.TailOf(in.of(w.ID)))
		}
		meanwhile, err := tx.ArrivedJobs(ctx, in.by.Subject, tails)
		if err != nil {
			return err
		}
		for _, w := range works {
			if _, ok := meanwhile[musa.TailOf(in.of(w.ID))]; ok || jobs[w.ID].here {
				continue
			}
			made, err := in.Studio.Recollect(ctx, tx, in.by, in.past(w, jobs[w.ID].id))
			if err != nil {
				return err
			}
			records, came = append(records, made...), append(came, w)
		}
		return nil
	})
	if err != nil {
		return err
	}
	in.out.Jobs += len(came)
	in.out.Already += len(works) - len(came)
	for _, w := range came {
		in.named(w.ID, string(jobs[w.ID].id))
	}
	for _, r := range records {
		in.ends(string(r.Category), r.Ends, r.Rule)
	}
	return nil
}

// past is a job as it was there. Who switched the interaction log off keeps no words of it.
func (in *intake) past(w Work, id musa.JobID) studio.Past {
	origin := studio.Origin{ID: w.ID, Created: w.Created}
	if w.Origin != nil {
		origin = *w.Origin
	}
	state := musa.JobState(w.State)
	if state != musa.JobSucceeded && state != musa.JobFailed && state != musa.JobBlocked {
		state = musa.JobCancelled
	}
	p := studio.Past{Job: db.Job{ID: id, Kind: musa.JobKind(w.Kind), State: state, Engine: w.Engine, Model: w.Model, Code: w.Code, Commercial: w.Sold},
		Prompt: musa.Prompt(w.Prompt), Params: w.Params, Plan: w.Plan, Origin: origin, Inputs: in.here(w.Inputs)}
	if in.by.Standing.Unlogged {
		p.Prompt, p.Plan = "", nil
	}
	return p
}

// close enters the import in the log.
func (in *intake) close(ctx context.Context) error {
	return in.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "archive_imported", Role: in.by.Role, Subject: in.by.Subject, Object: in.manifest.ID})
	})
}

func (in *intake) named(was, is string) {
	if len(in.out.Ids) < shownIDs {
		in.out.Ids = append(in.out.Ids, NewFor{was, is})
	}
}

// ends adds one thing to what the answer says about ends.
func (in *intake) ends(kind string, at musa.Millis, rule string) {
	i := slices.IndexFunc(in.out.Ends, func(e Ending) bool { return e.Kind == kind && e.Rule == rule })
	if i < 0 {
		i = len(in.out.Ends)
		in.out.Ends = append(in.out.Ends, Ending{Kind: kind, Rule: rule})
	}
	e := &in.out.Ends[i]
	e.Items++
	if t := instant(at); t != nil {
		if e.First == nil || t.Before(*e.First) {
			e.First = t
		}
		if e.Last == nil || t.After(*e.Last) {
			e.Last = t
		}
	}
}

// leftOut names what of the archive is a matter of the server that it comes from.
func (in *intake) leftOut() {
	for _, f := range in.contents.Files {
		switch f.Name {
		case fileManifest, fileSchema, fileIndex, fileContents, fileHistory, fileJobs, partOf(musa.CategoryFeedback):
			continue
		}
		if _, _, ok := picture(f.Name); ok {
			continue
		}
		in.out.Left = append(in.out.Left, LeftOut{File: f.Name, Why: "It tells of your account on the other server: your account here has its own."})
	}
	if in.by.Standing.Unlogged {
		in.out.Left = append(in.out.Left, LeftOut{File: fileJobs, Why: "Prompts and settings stayed outside: you switched the interaction log off."})
	}
}
