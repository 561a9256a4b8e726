package rights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"musa"
	"musa/studio"
)

// The bounds of an import. A picture is bounded by what an upload is.
const (
	maxFiles   = 200_000
	maxText    = 64 << 20  // of all JSON files together, unpacked; they are held in memory
	maxAside   = 256 << 20 // of a file that is only hashed, unpacked
	maxArchive = 64 << 30  // of all files together, unpacked
	renewEvery = 2 * time.Minute
	takeBatch  = 50 // things that one transaction takes over
)

// Imported is what came of an import.
type Imported struct {
	Archive  string    `json:"archive"`
	Made     time.Time `json:"made"` // when it was exported
	Pictures int       `json:"pictures"`
	Jobs     int       `json:"jobs"`
	Already  int       `json:"already"` // pictures and jobs that had come before
	Altered  int       `json:"altered"` // pictures that lost metadata on the way in
	Bytes    int64     `json:"bytes"`
	Ends     []Ending  `json:"ends"`
	Left     []LeftOut `json:"left_out"`
	Ids      []NewFor  `json:"ids"` // at most the first thousand
	Whole    bool      `json:"whole"`
	Why      string    `json:"why,omitempty"` // not whole
}

// Ending is when what was taken over ends here: as if it had been made now.
type Ending struct {
	Kind  string     `json:"kind"`
	Items int        `json:"items"`
	First *time.Time `json:"first"`
	Last  *time.Time `json:"last"`
	Rule  string     `json:"rule"`
}

// LeftOut is a file of the archive that was not taken over, and why.
type LeftOut struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// NewFor is the id here of something that had another one there.
type NewFor struct {
	Was string `json:"was"`
	Is  string `json:"is"`
}

// shownIDs is how many new ids an answer names.
const shownIDs = 1000

// intake is one import on its way in: pictures lie sealed without rows until all of the
// archive was seen and found right.
type intake struct {
	*Rights
	by       musa.Actor
	now      time.Time
	room     studio.Room
	out      Imported
	manifest Manifest
	contents Contents
	lines    []Line
	works    []Work
	feedback Part
	seen     map[string]File            // by name, as it came
	text     int64                      // of JSON, so far
	total    int64                      // of all, so far
	taken    map[string]*studio.Arrived // by the id there
	there    map[string]musa.AssetID    // came before, or is the very same
	renewed  time.Time
}

// Import takes over what somebody exported, from this server or another: pictures bit by bit,
// prompts, settings, lineage, names, and when all of it was made, as facts. It is read as it
// arrives, and sealed; nothing of it stays unless all of it is right. What is taken over
// belongs to whoever imports and ends as if it had been made now: an import lengthens nothing
// beyond the policy here. The same archive twice adds nothing. Promise C-28; GDPR art. 20.
func (r *Rights) Import(ctx context.Context, by musa.Actor, src io.Reader) (Imported, error) {
	if by.Closed > 0 {
		return Imported{}, &musa.Problem{Kind: musa.ErrRefused, Code: "account_closed",
			Public: "Your account is closed and about to be erased. Take the closing back to bring something in."}
	}
	room, err := r.Studio.Room(ctx, by)
	if err != nil {
		return Imported{}, err
	}
	in := &intake{Rights: r, by: by, now: r.Studio.Clock(), room: room, seen: map[string]File{}, taken: map[string]*studio.Arrived{},
		there: map[string]musa.AssetID{}, renewed: r.Studio.Clock()}
	err = in.read(ctx, newUnbox(src))
	if err == nil {
		err = in.judge()
	}
	if err == nil {
		err = in.keep(ctx)
	}
	if err != nil {
		return Imported{}, errors.Join(fmt.Errorf("import for %s: %w", by.Subject, err), in.drop(context.WithoutCancel(ctx)))
	}
	return in.out, nil
}

// drop removes what was sealed and not kept.
func (in *intake) drop(ctx context.Context) error {
	var errs []error
	for _, a := range in.taken {
		errs = append(errs, a.Drop(ctx))
	}
	return errors.Join(errs...)
}

// read goes through the archive.
func (in *intake) read(ctx context.Context, u *unbox) error {
	for {
		f, err := u.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := in.admissible(f.name); err != nil {
			return err
		}
		if folder(f.name) {
			continue
		}
		if err := in.file(ctx, f); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := in.renew(ctx); err != nil {
			return err
		}
	}
}

// file reads one file, hashes it and gives it to whoever it is for.
func (in *intake) file(ctx context.Context, f *parcelFile) error {
	s := &sum{to: io.Discard, hash: sha256.New()}
	body := io.TeeReader(f, s)
	var err error
	if id, kind, ok := picture(f.name); ok {
		err = in.picture(ctx, id, kind, body)
	} else {
		err = in.document(f.name, body)
	}
	if err != nil {
		return err
	}
	// To its checksum, but not to the end of what unpacks without end.
	if n, err := io.CopyN(io.Discard, body, maxAside+1); n > maxAside {
		return archiveTooLarge(fmt.Sprintf("A file in this archive is larger than %d MB unpacked", maxAside>>20))
	} else if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if in.total += s.n; in.total > maxArchive {
		return archiveTooLarge(fmt.Sprintf("This archive holds more than %d GB unpacked", maxArchive>>30))
	}
	in.seen[f.name] = File{Name: f.name, Bytes: s.n, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
	return nil
}

func archiveTooLarge(what string) error {
	return &musa.Problem{Kind: musa.ErrTooLarge, Code: "archive_too_large", Field: "archive", Public: what + ", the most that is taken. Nothing was taken over."}
}

// picture seals one picture, unless it is here already.
func (in *intake) picture(ctx context.Context, id string, kind musa.Category, body io.Reader) error {
	here, err := in.known(ctx, id)
	if err != nil || here != "" {
		in.there[id] = here
		return err
	}
	a, err := in.Studio.Receive(ctx, in.by, studio.Arrival{ID: musa.AssetIDOf(in.stamp(len(in.taken)), in.of(id)), Category: kind, Body: body})
	if err != nil {
		return inArchive(err)
	}
	in.taken[id] = a
	in.out.Bytes += a.Asset.Bytes
	return in.fits()
}

func (in *intake) fits() error {
	err := in.room.Fits(in.out.Bytes)
	var p *musa.Problem
	if errors.As(err, &p) {
		q := *p
		q.Field, q.Public = "archive", "This archive does not fit into your storage. "+p.Public
		return &q
	}
	return err
}

// stamp keeps the order of the archive, newest first, in ids that are all made now.
func (in *intake) stamp(n int) time.Time { return in.now.Add(-time.Duration(n) * time.Millisecond) }

// inArchive says of a problem with one picture that it was one in an archive.
func inArchive(err error) error {
	var p *musa.Problem
	if !errors.As(err, &p) {
		return err
	}
	q := *p
	q.Field, q.Public = "archive", "A picture in this archive cannot be taken: "+p.Public+" Nothing was taken over."
	return &q
}
