package rights

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"musa"
	"musa/db"
	"musa/lang"
	"musa/studio"
	"musa/vault"
)

// The scopes of an export.
const (
	scopeAccount = "account"
	scopeAsset   = "asset"
	scopePrompt  = "prompt"
)

// Parcel is what somebody wants to take along: all of it, or one picture, or what they said
// for one job. Both ids empty is all.
type Parcel struct {
	Asset musa.AssetID
	Job   musa.JobID
	Words *lang.Catalogue // of the page that explains the archive
}

func (p Parcel) scope() (scope, item string) {
	switch {
	case p.Asset != "":
		return scopeAsset, string(p.Asset)
	case p.Job != "":
		return scopePrompt, string(p.Job)
	}
	return scopeAccount, ""
}

// export is one archive on its way out.
type export struct {
	*Rights
	by      musa.Actor
	parcel  Parcel
	words   *lang.Catalogue
	made    time.Time
	box     *box
	history *listing
	index   *held
	begun   musa.SubjectState
	refused map[musa.AssetID][]string // consents, by the picture that they were refused for
}

// Export writes what is a person's as one ZIP archive while it reads it, without keeping any
// of it: pictures as they are, everything else as JSON of the published schema, and a page
// that explains it. What reaches its end meanwhile is left out; when the account is closed or
// erased meanwhile the archive breaks off with ErrGone. Nothing is written when the first
// look refuses. Promises E-06, E-26, C-28; GDPR art. 20.
func (r *Rights) Export(ctx context.Context, by musa.Actor, p Parcel, w io.Writer) error {
	watch := r.Vault.Watch(string(by.Subject))
	defer watch.Stop()
	x := &export{Rights: r, by: by, parcel: p, words: p.Words, box: newBox(lifeline{w, watch})}
	if err := x.write(ctx); err != nil {
		return fmt.Errorf("export of %s: %w", by.Subject, err)
	}
	return nil
}

// Watched is closed when what is somebody's is erased: what still sends it must stop then.
func (r *Rights) Watched(by musa.Actor) *vault.Watch { return r.Vault.Watch(string(by.Subject)) }

// lifeline passes bytes on until their owner's key is destroyed.
type lifeline struct {
	w     io.Writer
	watch *vault.Watch
}

func (l lifeline) Write(p []byte) (int, error) {
	select {
	case <-l.watch.Done():
		return 0, musa.ErrGone
	default:
		return l.w.Write(p)
	}
}

func (x *export) write(ctx context.Context) error {
	if err := x.alive(ctx); err != nil {
		return err
	}
	if err := x.refusals(ctx); err != nil {
		return err
	}
	one, err := x.single(ctx)
	if err != nil {
		return err
	}
	m := x.manifest()
	if err := x.box.json(fileManifest, x.made, m); err != nil {
		return err
	}
	if err := x.box.text(fileSchema, x.made, func(w io.Writer) error { _, err := w.Write(Schema()); return err }); err != nil {
		return err
	}
	history := hold()
	x.history, x.index = &listing{w: history}, hold()
	steps := []func(context.Context) error{x.head(m), x.pictures, func(context.Context) error { return x.history.end() },
		func(context.Context) error { return x.box.release(fileHistory, x.made, history) }, x.jobs, x.rest, x.foot, x.alive}
	if one != nil {
		steps[1] = one
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := x.box.release(fileIndex, x.made, x.index); err != nil {
		return err
	}
	if err := x.box.json(fileContents, x.made, Contents{ID: m.ID, Files: x.box.files}); err != nil {
		return err
	}
	return x.box.zip.Close()
}

func (x *export) manifest() Manifest {
	doc := x.Policy()
	scope, item := x.parcel.scope()
	return Manifest{Format: Format, Version: FormatVersion, ID: archiveID(), Made: x.made, Server: doc.Controller.Name, Policy: doc.Ref(),
		Subject: string(x.by.Subject), Scope: scope, Item: item}
}

// alive refuses to go on when the account was closed or erased since the export began: what
// is hidden by then must not be missing from an archive that looks whole.
func (x *export) alive(ctx context.Context) error {
	return x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		s, err := tx.Subject(ctx, x.by.Subject)
		if err != nil {
			return err
		}
		if x.begun == "" {
			x.begun, x.made = s.State, tx.Now.Time()
		}
		if s.State == musa.SubjectErased || s.State != x.begun && s.State == musa.SubjectClosed {
			return musa.ErrGone
		}
		return nil
	})
}

// refusals finds what the person refused for single pictures.
func (x *export) refusals(ctx context.Context) error {
	return x.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		words, err := tx.LastWords(ctx, x.by.Subject)
		x.refused = map[musa.AssetID][]string{}
		for _, w := range words {
			if w.Item != "" && !w.Given {
				x.refused[w.Item] = append(x.refused[w.Item], w.Name)
			}
		}
		return err
	})
}

// single looks up the one thing that is exported, before anything is written.
func (x *export) single(ctx context.Context) (func(context.Context) error, error) {
	switch {
	case x.parcel.Asset != "":
		a, err := x.Studio.Asset(ctx, x.by, x.parcel.Asset)
		if err != nil {
			return nil, err
		}
		if a.Hidden {
			return nil, musa.ErrGone
		}
		return func(ctx context.Context) error { return x.page(ctx, []studio.Asset{a}) }, nil
	case x.parcel.Job != "":
		if _, err := x.Studio.Job(ctx, x.by, x.parcel.Job); err != nil {
			return nil, err
		}
		return func(context.Context) error { return nil }, nil
	}
	return nil, nil
}

// pictures adds all that the person has, a page at a time.
func (x *export) pictures(ctx context.Context) error {
	for after := musa.AssetID(""); ; {
		page, err := x.Studio.AssetsFor(ctx, x.by, musa.PurposeAnswerRights, after, exportPage)
		if err != nil {
			return err
		}
		if err := errors.Join(x.page(ctx, page), x.alive(ctx)); err != nil {
			return err
		}
		if len(page) < exportPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

func (x *export) page(ctx context.Context, page []studio.Asset) error {
	var jobs []musa.JobID
	for _, a := range page {
		if a.Job != "" && !a.Hidden {
			jobs = append(jobs, a.Job)
		}
	}
	prompts, err := x.Studio.PromptsFor(ctx, x.by, musa.PurposeAnswerRights, jobs)
	if err != nil {
		return err
	}
	for _, a := range page {
		if a.Hidden {
			continue
		}
		line, err := x.pack(ctx, a)
		if errors.Is(err, musa.ErrGone) || errors.Is(err, musa.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		line.Prompt = prompts[a.Job].Reveal()
		if err := errors.Join(x.history.add(line), x.row(line)); err != nil {
			return err
		}
	}
	return nil
}

// pack adds one picture to the archive. ErrGone while nothing of it was written.
func (x *export) pack(ctx context.Context, a studio.Asset) (Line, error) {
	line := Line{ID: string(a.ID), Kind: string(a.Category), Name: a.Info.Name, Created: a.Created.Time(), Ends: instant(a.Ends), Rule: a.Rule, Saved: a.Saved, Sold: a.Commercial, Refuses: append([]string{}, x.refused[a.ID]...),
		Format: a.Info.Format, Width: a.Info.Width, Height: a.Info.Height, Bytes: a.Info.Bytes, Job: string(a.Job), Sources: a.Sources, Made: a.Made, Origin: a.Info.Origin}
	line.File = path.Join(folderImages, line.Kind, line.ID+"."+strings.ToLower(a.Info.Format))
	c, err := x.Studio.ContentFor(ctx, x.by, musa.PurposeAnswerRights, a.ID, musa.BlobFull)
	if err != nil {
		return line, err
	}
	f, err := x.box.put(line.File, line.Created, func(w io.Writer) error {
		_, err := io.Copy(w, c)
		return err
	})
	if err = errors.Join(err, c.Close()); err != nil {
		// Not ErrGone any more, though it may be: half a picture in the archive must break it off.
		return line, fmt.Errorf("pack %s: %s", a.ID, err.Error())
	}
	line.SHA256 = f.SHA256
	return line, nil
}

// jobs tells what the person ordered, with their words as long as those live.
func (x *export) jobs(ctx context.Context) error {
	only := x.parcel.Job
	if x.parcel.Asset != "" {
		a, err := x.Studio.Asset(ctx, x.by, x.parcel.Asset)
		if err != nil {
			return err
		}
		only = a.Job
	}
	return x.box.list(fileJobs, x.made, func(add func(any) error) error {
		if scope, _ := x.parcel.scope(); scope != scopeAccount && only == "" {
			return nil
		}
		for after := musa.JobID(""); ; {
			page, err := x.Studio.JobsFor(ctx, x.by, musa.PurposeAnswerRights, after, exportPage)
			if err != nil {
				return err
			}
			for _, j := range page {
				after = j.ID
				if only != "" && j.ID != only {
					continue
				}
				if err := add(work(j)); err != nil {
					return err
				}
			}
			if len(page) < exportPage {
				return nil
			}
		}
	})
}

func work(j studio.Job) Work {
	w := Work{ID: string(j.ID), Kind: string(j.Kind), State: string(j.State), Created: j.Created.Time(), Started: instant(j.Started), Ended: instant(j.Ended),
		Engine: j.Engine, Model: j.Model, Code: j.Code, Sold: j.Commercial, Prompt: j.Prompt.Reveal(), Params: j.Params, Plan: j.Plan, Inputs: []musa.AssetID{}, Ends: instant(j.Ends), Origin: j.Origin}
	for _, in := range j.Inputs {
		w.Inputs = append(w.Inputs, in.ID)
	}
	return w
}

// archiveID names one archive; crypto/rand.Read never fails.
func archiveID() string {
	var raw [16]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}
