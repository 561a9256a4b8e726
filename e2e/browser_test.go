//go:build e2e

package e2e_test

import (
	"bytes"
	"image/png"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"musa/musatest/nodes"
	"musa/musatest/photos"
)

// TestBrowser is the main job as a person with a browser does it, on real photographs.
func TestBrowser(t *testing.T) {
	t.Parallel()
	server := nodes.Server(t, t.TempDir())
	server.Start()
	browsing := chromium(t)
	axe(t) // its first fetch is nobody's waiting time
	for _, story := range []struct {
		name string
		look screen
		path string
		tell func(*testing.T, *tab)
	}{
		{"a photograph from drop to receipt", desk, "/", photographsLife},
		{"several pictures, one unreadable", desk.in("dark"), "/", severalPictures},
		{"many pictures, the one on the stage first", desk, "/", stageFirst},
		{"left, found again, cancelled", desk, "/", leftAndFound},
		{"by keyboard alone", desk, "/", keyboardAlone},
		{"on a phone, in German", phone, "/?lang=de", onPhone},
		{"the privacy page", desk, "/privacy", privacyPage},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, open(t, browsing, server, story.look, story.path)) })
	}
}

func photographsLife(t *testing.T, b *tab) {
	firstPage(b)
	b.drop(filepath.Join(photos.Dir(t), "chelsea.png"))
	b.reads("[data-estimate]", "902 × 600")
	b.until(`document.querySelectorAll('[data-steps] li').length > 2`)
	b.reads("[data-notice]", "On this server. Nothing leaves it.")
	b.reads("[data-original]", "It goes at once when the last job that used it has ended.")
	b.accessible("options", desk)
	b.picture("studio-options")
	b.act(recordProgress)
	b.press("musa-options", "Enhance")
	b.until(`progress.some((n) => n > 0 && n < 100) || shown().state === 'done'`)
	b.picture("studio-progress")
	b.reads("musa-card h2", "Done")
	if steps := slices.Compact(see[[]float64](b, `progress`)); len(steps) < 3 || !slices.IsSorted(steps) {
		t.Errorf("progress went %v, want growing steps", steps)
	}
	compare(b)
	zoom(b)
	b.press("musa-card", "Download")
	got, err := png.DecodeConfig(bytes.NewReader(b.downloaded("chelsea-2x.png")))
	if err != nil || got.Width != 902 || got.Height != 600 {
		t.Errorf("downloaded %dx%d (%v), want a PNG of 902x600", got.Width, got.Height, err)
	}
	original, result := see[string](b, `shown().original.id`), see[string](b, `shown().output.id`)
	b.reads("musa-card .lines", "The original is gone from the server.")
	b.wantContent(http.StatusGone, original)
	b.accessible("done", desk)
	eraseTwice(b, result)
}

// recordProgress writes down every figure of the progress bar.
const recordProgress = `
window.progress = [];
const note = () => {
  const bar = document.querySelector('[role=progressbar]');
  if (bar) progress.push(Number(bar.getAttribute('aria-valuenow')));
};
new MutationObserver(note).observe(document.querySelector('musa-card'), { subtree: true, childList: true, attributes: true });
`

// firstPage is what a stranger gets: light, still, and nothing stored.
func firstPage(b *tab) {
	b.t.Helper()
	b.until(`document.fonts.status === 'loaded' && !document.querySelector('[data-pick]').hidden`)
	if jar := b.cookies(); len(jar) > 0 {
		b.t.Errorf("cookies %v before the first act", slices.Sorted(maps.Keys(jar)))
	}
	b.mu.Lock()
	weight := b.bytes
	b.mu.Unlock()
	b.t.Logf("the first page weighs %.0f KB", weight/1000)
	if weight > 150_000 || weight < 10_000 {
		b.t.Errorf("the first page weighs %.0f bytes, want at most 150,000", weight)
	}
	if shift := see[float64](b, `window.shifted`); shift > 0.01 {
		b.t.Errorf("the layout shifted by %.3f", shift)
	}
	b.accessible("empty", desk)
	b.picture("studio-empty")
}

// compare moves the divider by keyboard and checks that the cut moves with it.
func compare(b *tab) {
	b.t.Helper()
	const cut = `document.querySelector('.layer:has([alt$="before"])').style.clipPath`
	b.until(`document.querySelector('.handle').checkVisibility() && [...document.querySelectorAll('.plane img')].every((img) => img.complete && img.naturalWidth)`)
	b.act(`document.querySelector('.handle').focus()`)
	before := see[string](b, cut)
	b.keys(kb.ArrowLeft + kb.ArrowLeft)
	if at := see[string](b, `document.querySelector('.handle').getAttribute('aria-valuenow')`); at != "46" {
		b.t.Errorf("the divider stands at %s, want 46", at)
	}
	if after := see[string](b, cut); after == before {
		b.t.Errorf("the divider moved and the pictures did not: %s", after)
	}
	b.keys(kb.End)
	b.until(`document.querySelector('.handle').getAttribute('aria-valuetext') === '100 % before'`)
	b.keys(kb.Home + kb.PageUp + kb.PageUp + kb.PageUp + kb.PageUp + kb.PageUp)
	b.until(`document.querySelector('.handle').getAttribute('aria-valuenow') === '50'`)
}

// zoom goes to the result's own pixels and back.
func zoom(b *tab) {
	b.t.Helper()
	const wide = `document.querySelector('.plane').getBoundingClientRect().width`
	fitted := see[float64](b, wide)
	b.keys("1")
	b.reads(".bar output", "100 %")
	if own := see[float64](b, wide); own != 902 {
		b.t.Errorf("at 100 %% the picture is %.1f px wide, want its own 902", own)
	}
	b.press(".bar", "Zoom in")
	b.reads(".bar output", "150 %")
	b.keys("+")
	b.picture("studio-compare")
	b.press(".bar", "Fit")
	if again := see[float64](b, wide); again != fitted {
		b.t.Errorf("fitted again it is %.1f px wide, was %.1f", again, fitted)
	}
}

// eraseTwice takes the first erasure back and lets the second happen.
func eraseTwice(b *tab, id string) {
	b.t.Helper()
	b.press("musa-card", "Erase now")
	b.reads("musa-card h2", "Erasing")
	b.wantContent(http.StatusGone, id)
	b.press("musa-card", "Undo")
	b.reads("musa-card h2", "Done")
	b.wantContent(http.StatusOK, id)
	b.press("musa-card", "Erase now")
	b.reads("musa-card h2", "Gone")
	b.wantContent(http.StatusGone, id)
	b.reads("musa-card", "You erased it.")
	b.reads("musa-card .lines a", "Receipt")
	b.accessible("tombstone", desk)
	b.visit("/")
	b.reads(".tomb", "Gone since today")
	b.press(".tiles", see[string](b, `document.querySelector('.tomb').innerText`))
	b.press("musa-card", "Receipt")
	b.reads("[data-lede]", "recorded in a log")
	b.reads("[data-facts]", "Key destroyed")
	b.until(`[...document.querySelectorAll('[data-facts] time')].filter((e) => Math.abs(Date.now() - Date.parse(e.dateTime)) < 60e3 && e.innerText.includes(':')).length === 3`)
	b.press("musa-receipt", "Download the receipt")
	name := see[string](b, `document.querySelector('musa-receipt').dataset.receipt`) + ".json"
	b.downloaded(name)
	if said, status := nodes.Run(b.t, b.downloads, "receipt", "verify", name); status != 0 {
		b.t.Errorf("the receipt from the page does not hold: status %d\n%s", status, said)
	}
	b.accessible("receipt", desk)
}
