//go:build e2e

package e2e_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	_ "image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"musa/musatest/photos"
)

// cut saves a piece of a photograph as JPEG: small enough that its work takes a second.
func cut(t *testing.T, photo, name string, width, height int) string {
	t.Helper()
	whole, _, err := image.Decode(bytes.NewReader(photos.Read(t, photo)))
	if err != nil {
		t.Fatal(err)
	}
	piece := image.NewRGBA(image.Rect(0, 0, width, height))
	middle := whole.Bounds().Min.Add(image.Pt((whole.Bounds().Dx()-width)/2, (whole.Bounds().Dy()-height)/2))
	draw.Draw(piece, piece.Bounds(), whole, middle, draw.Src)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, piece, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return save(t, name, out.Bytes())
}

func save(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// severalPictures takes three at once, of which one is none, and gets two back in one file.
func severalPictures(t *testing.T, b *tab) {
	b.refuses(http.StatusUnsupportedMediaType)
	b.pick(cut(t, "coffee.png", "coffee.jpg", 420, 300), save(t, "notes.jpg", []byte("not a picture at all")),
		cut(t, "astronaut.png", "astronaut.jpg", 180, 240))
	b.reads("[data-start]", "Enhance 2 pictures")
	b.reads("[data-estimate]", "2 pictures")
	b.press(".tiles", "notes.jpg: Did not work")
	b.reads("musa-card [role=alert]", "not a picture")
	b.reads("musa-card", "Choose another picture")
	b.accessible("unreadable", desk.in("dark"))
	b.press("musa-card", "Remove from this page")
	b.reads("[data-count]", "2")
	b.press("musa-options", "Enhance 2 pictures")
	b.press(".shelf", "Download all 2")
	archive := b.downloaded("musa.zip")
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	b.must("open the archive", err)
	got := map[string]string{}
	for _, f := range files.File {
		r, err := f.Open()
		b.must("open "+f.Name, err)
		c, kind, err := image.DecodeConfig(r)
		b.must("decode "+f.Name, err)
		got[f.Name] = fmt.Sprintf("%s %dx%d", kind, c.Width, c.Height)
	}
	if len(got) != 2 || got["coffee-2x.jpg"] != "jpeg 840x600" || got["astronaut-2x.jpg"] != "jpeg 360x480" {
		t.Errorf("the archive holds %v", got)
	}
	b.act(`document.querySelector(".thumb").click()`)
	b.picture("studio-dark")
}

// slowPlans makes each plan take a moment, and writes down for which picture each was asked.
const slowPlans = `
window.asked = [];
const real = window.fetch;
window.fetch = async (place, options) => {
  if (String(place) === '/api/plans') {
    asked.push(JSON.parse(options.body).inputs[0]);
    await new Promise((go) => setTimeout(go, 500));
  }
  return real(place, options);
};
window.items = () => document.querySelector('musa-studio').items;
`

// stageFirst puts the last of many pictures on the stage while plans wait: its plan is the next.
func stageFirst(t *testing.T, b *tab) {
	b.act(slowPlans)
	var paths []string
	for i := range 8 {
		paths = append(paths, cut(t, "coffee.png", fmt.Sprintf("coffee-%d.jpg", i), 120+i, 90))
	}
	b.pick(paths...)
	b.until(`items().length === 8 && items().every((item) => item.original)`)
	before := see[int](b, `(() => {
		const last = items().filter((item) => !asked.includes(item.original.id)).at(-1);
		window.last = last.original.id;
		last.tile.querySelector('button').click();
		return asked.length;
	})()`)
	b.until(`asked.length === 8`)
	if at := see[int](b, `asked.indexOf(last)`); at != before {
		t.Errorf("%d plans were asked for when the last picture came on the stage, and its own became number %d", before, at+1)
	}
	if before > 6 {
		t.Fatalf("%d of 8 plans were asked for before anything was seen", before)
	}
}

// leftAndFound leaves a long job, finds it again at the page's address and cancels it.
func leftAndFound(t *testing.T, b *tab) {
	b.pick(filepath.Join(photos.Dir(t), "astronaut.png"))
	b.press("musa-options", "4×")
	b.press("musa-options", "Best")
	b.reads("[data-estimate]", "2048 × 2048")
	b.press("musa-options", "Enhance")
	b.reads("musa-card h2", "At work")
	b.until(`location.hash.startsWith('#jobs=')`)
	b.must("reload", chromedp.Do(b.ctx, chromedp.Reload()))
	b.reads("musa-card h2", "At work")
	b.until(`shown().job.progress.done > 0`)
	job := see[string](b, `shown().job.id`)
	b.press("musa-card", "Cancel")
	b.reads("musa-card h2", "Cancelled")
	b.reads("musa-card", "Nothing was charged.")
	if state := b.client().Job(job).State; state != "cancelled" {
		t.Errorf("the job is %s on the server", state)
	}
	b.wantContent(http.StatusGone, see[string](b, `shown().original.id`))
}

// keyboardAlone goes through the main job without a mouse; where the focus stands can be
// seen at each step.
func keyboardAlone(t *testing.T, b *tab) {
	b.keys(kb.Tab)
	b.reads(".skip:focus", "Skip to content")
	b.pick(cut(t, "chelsea.png", "cat.jpg", 200, 150))
	b.until(`!document.querySelector('[data-start]').disabled`)
	b.walk(`e.matches('[data-start]')`)
	b.keys(kb.Enter)
	b.reads("musa-card h2", "Done")
	b.walk(`e.matches('.handle')`)
	b.keys(kb.ArrowRight)
	b.until(`document.querySelector('.handle').getAttribute('aria-valuenow') === '52'`)
	b.walk(`e.innerText === 'Download'`)
	b.keys(kb.Enter)
	if c, _, err := image.DecodeConfig(bytes.NewReader(b.downloaded("cat-2x.jpg"))); err != nil || c.Width != 400 {
		t.Errorf("downloaded a picture %d px wide (%v), want 400", c.Width, err)
	}
	b.walk(`e.innerText === 'Erase now'`)
	b.keys(kb.Enter)
	b.reads("musa-card h2", "Erasing")
	if at := see[string](b, `document.activeElement.textContent`); !strings.Contains(at, "Erasing") {
		t.Errorf("after the order to erase, the focus stands on %q, want the news of it", at)
	}
	b.walk(`e.innerText === 'Undo'`)
	b.keys(kb.Enter)
	b.reads("musa-card h2", "Done")
}

// walk tabs forward until the focus stands on what is asked for.
func (b *tab) walk(to string) {
	b.t.Helper()
	for range 60 {
		b.keys(kb.Tab)
		if see[bool](b, `(() => { const e = document.activeElement; return e !== document.body && Boolean(`+to+`) })()`) {
			b.visibleFocus()
			return
		}
	}
	b.t.Fatalf("60 steps of Tab do not reach %s", to)
}

func (b *tab) visibleFocus() {
	b.t.Helper()
	seen := see[bool](b, `[document.activeElement, ...document.activeElement.querySelectorAll('*'), document.activeElement.nextElementSibling]
		.some((e) => e && getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 2)`)
	if !seen {
		b.t.Errorf("the focus cannot be seen on %s", see[string](b, `document.activeElement.outerHTML.slice(0, 120)`))
	}
}

// onPhone is the main job with a thumb, in the longest words.
func onPhone(t *testing.T, b *tab) {
	b.reads("[data-camera]", "Foto aufnehmen")
	b.touchable()
	b.pick(cut(t, "coffee.png", "Frühstückskaffee auf dem Holztisch im Sommergarten.jpg", 420, 300))
	b.reads("[data-estimate]", "840 × 600")
	b.inReach("[data-start]")
	b.touchable()
	b.press("musa-options", "Verbessern")
	b.reads("musa-card h2", "Fertig")
	b.touchable()
	b.picture("studio-phone")
	b.accessible("done, in German", phone)
	b.press("musa-card", "Jetzt löschen")
	b.reads("musa-card", "Rückgängig")
	b.touchable()
}

// inReach checks that an act is on the screen without scrolling.
func (b *tab) inReach(selector string) {
	b.t.Helper()
	if !see[bool](b, fmt.Sprintf(`(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector(%q).getBoundingClientRect())`, selector)) {
		b.t.Errorf("%s is not in reach of a thumb", selector)
	}
}

// touchable checks that the page is as wide as the screen and every act is 44 px high and
// wide, or a link in a line of text.
func (b *tab) touchable() {
	b.t.Helper()
	b.fits()
	small := see[[]string](b, `[...document.querySelectorAll('button, a.press, summary, select, textarea, .switch, .segments label')]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.unseen, [hidden]'))
		.map((e) => [e, e.getBoundingClientRect()])
		.filter(([, box]) => box.height < 43.5 || box.width < 40)
		.map(([e, box]) => e.outerHTML.slice(0, 100) + ' ' + Math.round(box.width) + 'x' + Math.round(box.height))`)
	for _, s := range small {
		b.t.Errorf("too small for a thumb: %s", s)
	}
}

func privacyPage(t *testing.T, b *tab) {
	b.reads("h1", "Privacy")
	if rules := see[int](b, `document.querySelectorAll('.sentences .path').length`); rules < 30 {
		t.Errorf("%d sentences, want each line of the policy", rules)
	}
	if jar := b.cookies(); len(jar) > 0 {
		t.Errorf("cookies %v on a page of words", jar)
	}
	b.reads(".live", "Right now nothing is overdue.")
	b.reads(".sections", "security.claims[0]") // once its self-test passed
	b.accessible("privacy", desk)
	b.picture("privacy")
	for _, page := range []struct{ name, path, says string }{
		{"versions", "/privacy/versions", "In force"},
		{"version", see[string](b, `document.querySelector('.sections') && '/privacy/versions/studio/' + document.querySelectorAll('.facts dd')[1].innerText`), "The document itself"},
		{"changes", "/privacy/changes", "Not a word differs."},
		{"record", "/privacy/record", "art. 30"},
		{"agreement", "/privacy/agreement", "art. 28"},
	} {
		b.visit(page.path)
		b.reads("main", page.says)
		b.accessible(page.name, desk)
	}
}
