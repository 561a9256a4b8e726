package rights

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"musa"
	"musa/studio"
)

// exportPage is how many assets are listed at a time: no read outlives a second, however
// much there is to export.
const exportPage = 50

// Line is what an export's history.json tells of one picture.
type Line struct {
	ID      string         `json:"id"`
	Kind    string         `json:"kind"`
	File    string         `json:"file"` // in the archive
	Name    string         `json:"name"`
	Created time.Time      `json:"created"`
	Ends    *time.Time     `json:"ends"`
	Rule    string         `json:"ends_rule"`
	Format  string         `json:"format"`
	Width   int            `json:"width"`
	Height  int            `json:"height"`
	Bytes   int64          `json:"bytes"`
	Job     string         `json:"job,omitempty"`
	Prompt  string         `json:"prompt,omitempty"`
	Sources []musa.AssetID `json:"sources"`
	Made    *studio.Made   `json:"made,omitempty"`
}

// Export writes a person's pictures and their processing history as one ZIP archive, while
// it reads them. What reaches its end meanwhile is left out. Promise E-06.
func (r *Rights) Export(ctx context.Context, by musa.Actor, w io.Writer) error {
	archive := zip.NewWriter(w)
	lines := []Line{}
	var after musa.AssetID
	for {
		page, err := r.Studio.Assets(ctx, by, after, exportPage)
		if err != nil {
			return fmt.Errorf("export of %s: %w", by.Subject, err)
		}
		for _, a := range page {
			after = a.ID
			if a.Hidden {
				continue
			}
			line, err := r.pack(ctx, by, archive, a)
			if errors.Is(err, musa.ErrGone) {
				continue
			}
			if err != nil {
				return fmt.Errorf("export of %s: %w", by.Subject, err)
			}
			lines = append(lines, line)
		}
		if len(page) < exportPage {
			break
		}
	}
	out, err := archive.Create("history.json")
	if err != nil {
		return fmt.Errorf("export of %s: %w", by.Subject, err)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(lines); err != nil {
		return fmt.Errorf("export of %s: %w", by.Subject, err)
	}
	return archive.Close()
}

// pack adds one picture to the archive. Pictures are packed already: they are stored.
func (r *Rights) pack(ctx context.Context, by musa.Actor, archive *zip.Writer, a studio.Asset) (Line, error) {
	line := Line{ID: string(a.ID), Kind: string(a.Category), Name: a.Info.Name, Created: a.Created.Time(), Rule: a.Rule, Format: a.Info.Format,
		Width: a.Info.Width, Height: a.Info.Height, Bytes: a.Info.Bytes, Job: string(a.Job), Sources: a.Sources, Made: a.Made}
	if a.Ends > 0 {
		t := a.Ends.Time()
		line.Ends = &t
	}
	line.File = path.Join("images", string(a.ID)+"."+strings.ToLower(a.Info.Format))
	if a.Job != "" {
		j, err := r.Studio.Job(ctx, by, a.Job)
		if err != nil && !errors.Is(err, musa.ErrNotFound) {
			return line, err
		}
		line.Prompt = j.Prompt.Reveal()
	}
	c, err := r.Studio.Content(ctx, by, a.ID, musa.BlobFull)
	if err != nil {
		return line, err
	}
	out, err := archive.CreateHeader(&zip.FileHeader{Name: line.File, Method: zip.Store, Modified: a.Created.Time()})
	if err == nil {
		_, err = io.Copy(out, c)
	}
	if err = errors.Join(err, c.Close()); err != nil {
		// Not ErrGone any more, though it may be: half a picture in the archive must break it off.
		return line, fmt.Errorf("pack %s: %s", a.ID, err.Error())
	}
	return line, nil
}
