package studio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"musa"
	"musa/db"
	"musa/pix"
	"musa/policy"
	"musa/vault"
)

// maxName is the longest file name that is kept, in bytes.
const maxName = 255

// chunk is how the memory budget is taken while an upload arrives.
const chunk = 1 << 20

// Upload is a picture that somebody sends.
type Upload struct {
	Name string    // as the browser tells it; only its base name is kept, sealed
	Save bool      // keep it as long as a result, where the policy allows
	Body io.Reader // the encoded picture
}

// Admit takes an upload: checks it, removes its metadata, seals it and stores it. Nothing
// stays when it fails. Problems name the field "file".
func (s *Studio) Admit(ctx context.Context, by musa.Actor, u Upload) (Asset, error) {
	if err := open(by); err != nil {
		return Asset{}, err
	}
	data, release, err := s.receive(ctx, u.Body)
	if err != nil {
		return Asset{}, err
	}
	defer release()
	info, err := pix.Inspect(ctx, data, s.Limits)
	if err != nil {
		return Asset{}, inField("file", err)
	}
	clean, err := pix.Strip(ctx, data)
	if err != nil {
		return Asset{}, inField("file", err)
	}
	thumb, err := preview(ctx, clean)
	if err != nil {
		return Asset{}, inField("file", err)
	}
	now := s.Clock()
	doc := s.Policy()
	a := db.Asset{ID: musa.NewAssetID(now), Owner: by.Subject, Author: by.Author(), Category: musa.CategoryOriginal,
		State: musa.AssetActive, Tier: by.Tier, Created: musa.At(now), Saved: u.Save}
	grant := doc.Decide(policy.Ask(a.Created, by, musa.PurposeGenerate, made(vault.AssetItem(a))))
	if err := grant.Err(); err != nil {
		return Asset{}, err
	}
	if err := s.room(ctx, by, int64(len(clean)+len(thumb))); err != nil {
		return Asset{}, err
	}
	draft, err := s.Vault.Seal(ctx, grant, a, []vault.Part{
		{Role: musa.BlobFull, Data: bytes.NewReader(clean)},
		{Role: musa.BlobThumb, Data: bytes.NewReader(thumb)},
	})
	if err != nil {
		return Asset{}, err
	}
	a.Bytes = draft.Size()
	sealed := Info{Name: baseName(u.Name, string(info.Format)), Format: stored(clean, info), Width: info.Width, Height: info.Height, Bytes: int64(len(clean))}
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := vault.Belong(ctx, tx, s.Versions(), &a); err != nil {
			return err
		}
		secret, err := draft.Keep(ctx, tx, sealed)
		if err != nil {
			return err
		}
		if err := tx.InsertAsset(ctx, a, secret); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, db.AuditEvent{Action: "upload_admitted", Role: by.Role, Subject: by.Subject, Object: string(a.ID)})
	})
	if err != nil {
		return Asset{}, errors.Join(fmt.Errorf("admit %s: %w", a.ID, err), draft.Drop(context.WithoutCancel(ctx)))
	}
	return s.view(a, sealed, nil), nil
}

// open refuses somebody whose account is closed or suspended: nothing new comes into it. It
// refuses a member of a workspace whose role makes nothing, too.
func open(by musa.Actor) error {
	switch {
	case by.Suspended:
		return musa.AccountSuspended
	case by.Closed == 0:
		return by.May(musa.ActMake)
	}
	return &musa.Problem{Kind: musa.ErrRefused, Code: "account_closed",
		Public: "Your account is closed and about to be erased. Take the closing back to make something new."}
}

// thumbSide is the longer side of a preview in pixels.
const thumbSide = 512

func preview(ctx context.Context, data []byte) ([]byte, error) {
	small, err := pix.Thumbnail(ctx, data, thumbSide)
	if err != nil {
		return nil, err
	}
	defer small.Close()
	return small.Encode(ctx, pix.Encode{Format: pix.WebP})
}

// receive reads an upload into memory, where it stays until it is sealed: a spool on disk
// would hold it in clear (DESIGN rule 2). The budget is taken as bytes arrive.
func (s *Studio) receive(ctx context.Context, body io.Reader) (data []byte, release func(), err error) {
	var taken int64
	give := func() { s.memory.Release(taken) }
	defer func() {
		if err != nil {
			give()
		}
	}()
	var buf bytes.Buffer
	for {
		if !s.memory.TryAcquire(2 * chunk) { // the buffer doubles as it grows
			return nil, nil, &musa.Problem{Kind: musa.ErrUnavailable, Code: "busy",
				Public: "The server is taking other large uploads. Try again in a moment."}
		}
		taken += 2 * chunk
		_, err := io.CopyN(&buf, body, chunk)
		if int64(buf.Len()) > s.Limits.Bytes {
			return nil, nil, &musa.Problem{Kind: musa.ErrTooLarge, Code: "file_too_large", Field: "file",
				Public: fmt.Sprintf("This file is larger than %d MB, the most that is taken. Send a smaller one.", s.Limits.Bytes>>20)}
		}
		if errors.Is(err, io.EOF) {
			return buf.Bytes(), give, nil
		}
		if err != nil {
			return nil, nil, broken(err)
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
	}
}

func broken(err error) error {
	var p *musa.Problem
	if errors.As(err, &p) {
		return err
	}
	return &musa.Problem{Kind: musa.ErrInvalid, Code: "upload_broken", Field: "file", Cause: errors.New("body ended early"),
		Public: "The upload broke off before the file was complete. Send it again."}
}

// room refuses what would not fit into the tier's storage.
func (s *Studio) room(ctx context.Context, by musa.Actor, n int64) error {
	r, err := s.Room(ctx, by)
	if err != nil {
		return err
	}
	return r.Fits(n)
}

func made(i policy.Item) policy.Item {
	i.New = true
	return i
}

// stored is the format that lies in the vault: Strip keeps it where it can work without
// loss, and says by its bytes what it chose otherwise.
func stored(clean []byte, was pix.Info) string {
	if f := pix.Sniff(clean); f != "" {
		return string(f)
	}
	return string(was.Format)
}

// baseName keeps what is safe of a name that came from outside: no path, no control or
// bidirectional characters, at most maxName bytes, cut between runes.
func baseName(name, format string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '/' {
			return -1
		}
		return r
	}, name)
	name = strings.TrimLeft(strings.TrimSpace(name), ".")
	if name == "" {
		name = "picture." + format
	}
	if len(name) <= maxName {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 10 {
		ext = ""
	}
	cut := maxName - len(ext)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + ext
}

// inField gives a problem that a lower package found the name of the request's field.
func inField(field string, err error) error {
	var p *musa.Problem
	if !errors.As(err, &p) || p.Field != "" {
		return err
	}
	q := *p
	q.Field = field
	return &q
}
