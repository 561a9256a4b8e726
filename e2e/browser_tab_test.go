//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"musa/musatest"
	"musa/musatest/nodes"
)

// chromium starts the browser that all tabs of a test share.
func chromium(t *testing.T) context.Context {
	t.Helper()
	// What a browser leaves behind when it is ended goes, too, as far as it lets go of it by then.
	left, err := os.MkdirTemp("", "musa-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(left) })
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, // it refuses to run as root with one, and it sees our own pages only
		chromedp.Flag("disable-component-update", true),
		chromedp.Env("TMPDIR="+left),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("hide-scrollbars", true))
	// The same browser without the parts for a desktop, where it is installed: a quarter less to do.
	if shell, err := exec.LookPath("chromium-headless-shell"); err == nil {
		options = append(options, chromedp.ExecPath(shell))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// screen is what a tab is looked at with.
type screen struct {
	width, height int64
	theme         string // light or dark
	phone         bool
}

var (
	desk  = screen{width: 1440, height: 900, theme: "light"}
	phone = screen{width: 390, height: 844, theme: "light", phone: true}
)

func (s screen) in(theme string) screen {
	s.theme = theme
	return s
}

// tab is a person at one browser window, with cookies of its own. It writes down what the
// page asked of the network and what went wrong in it.
type tab struct {
	t         *testing.T
	ctx       context.Context
	base      string
	downloads string
	refusals  map[int64]bool  // statuses that the test provokes; guarded by mu
	others    map[string]bool // other sites that the test goes to

	screen screen

	mu       sync.Mutex // guards what follows
	faults   []string
	requests []string
	led      []string // where answers sent the browser
	bytes    float64
}

// open opens a window on the server and goes to a path. At the end of the test nothing may
// have gone wrong in it, nothing been asked of anybody else and nothing been stored.
func open(t *testing.T, browsing context.Context, server *nodes.Node, look screen, path string) *tab {
	t.Helper()
	return openAt(t, browsing, server.URL, look, path)
}

// openAt is open, where the server is no process of its own.
func openAt(t *testing.T, browsing context.Context, base string, look screen, path string) *tab {
	t.Helper()
	b := &tab{t: t, base: base, downloads: t.TempDir(), refusals: map[int64]bool{}, others: map[string]bool{}}
	ctx, stop := chromedp.NewContext(browsing, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	t.Cleanup(stop)
	b.ctx = ctx
	b.must("open a window", chromedp.Do(ctx))
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.downloads, BrowserContextID: chromedp.FromContext(ctx).BrowserContextID})
	b.must("allow downloads", err)
	_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watching})
	b.must("watch the layout", err)
	b.look(look)
	b.visit(path)
	t.Cleanup(b.leave)
	return b
}

// watching keeps account of layout shifts that no act of the person explains, and of
// refused content.
const watching = `
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
window.shown = () => document.querySelector('musa-studio').current;
window.violations = [];
addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
`

// refuses says that the test provokes answers of a status.
func (b *tab) refuses(status int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals[status] = true
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *network.EventResponseReceivedExtraInfo:
		for name, value := range e.Headers {
			if to, text := value.(string); text && strings.EqualFold(name, "location") {
				b.led = append(b.led, to)
			}
		}
	case *network.EventLoadingFinished:
		b.bytes += e.EncodedDataLength
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.faults = append(b.faults, fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !b.provoked(e.Entry.Text) {
			b.faults = append(b.faults, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	}
}

// ledTo lists where answers sent the browser so far.
func (b *tab) ledTo() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.led)
}

func (b *tab) provoked(text string) bool {
	for status := range b.refusals {
		if strings.Contains(text, fmt.Sprintf("status of %d ", status)) {
			return true
		}
	}
	return false
}

func (b *tab) leave() {
	b.mu.Lock()
	faults, requests := slices.Clone(b.faults), slices.Clone(b.requests)
	b.mu.Unlock()
	for _, fault := range faults {
		b.t.Errorf("the page's console: %s", fault)
	}
	for _, address := range requests {
		u, err := url.Parse(address)
		site := u.Scheme + "://" + u.Host
		if err != nil || u.Scheme != "blob" && u.Scheme != "data" && site != b.base && !b.others[site] {
			b.t.Errorf("a request to somebody else: %s", address)
		}
	}
	if b.t.Failed() {
		b.keep()
		return
	}
	if v := see[[]string](b, `window.violations`); len(v) > 0 {
		b.t.Errorf("violations of the content policy: %q", v)
	}
	for place, n := range see[map[string]int](b, keys) {
		if n != 0 {
			b.t.Errorf("the browser keeps %d things in its %s", n, place)
		}
	}
}

// keep saves what a failed test looked like.
func (b *tab) keep() {
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no picture of the failure: %v", err)
		return
	}
	name := filepath.Join(os.TempDir(), strings.NewReplacer("/", "_", "'", "").Replace(b.t.Name())+".png")
	b.must("save a picture", os.WriteFile(name, picture, 0o644))
	b.t.Logf("it looked like %s", name)
}

func (b *tab) must(what string, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// look changes the screen that the page is seen on.
func (b *tab) look(s screen) {
	b.t.Helper()
	b.screen = s
	scale := 1.0
	if s.phone {
		scale = 2
	}
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: s.width, Height: s.height, DeviceScaleFactor: scale, Mobile: s.phone})
	b.must("set the screen", err)
	_, err = chromedp.Call(b.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: s.phone})
	b.must("set the touch screen", err)
	_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: s.theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	b.must("set the theme", err)
}

func (b *tab) visit(path string) {
	b.t.Helper()
	b.must("visit "+path, chromedp.Do(b.ctx, chromedp.Navigate(b.base+path)))
}

// see evaluates an expression in the page; it may await.
func see[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := ask[T](b, expression)
	b.must(expression, err)
	return v
}

func ask[T any](b *tab, expression string) (T, error) {
	ctx, stop := context.WithTimeout(b.ctx, 30*time.Second)
	defer stop()
	return chromedp.Run(ctx, chromedp.Evaluate[T]("(async () => ("+expression+"))()", chromedp.EvalAwaitPromise))
}

// act runs statements in the page.
func (b *tab) act(statements string) {
	b.t.Helper()
	see[bool](b, "(() => {"+statements+"; return true })()")
}

// until waits for an expression to become true. What is missing is said by its own words.
func (b *tab) until(expression string) {
	b.t.Helper()
	again := time.NewTicker(40 * time.Millisecond)
	defer again.Stop()
	limit := time.After(time.Minute)
	for {
		// A page that is just being left cannot answer.
		if ok, err := ask[bool](b, "Boolean("+expression+")"); err == nil && ok {
			return
		}
		select {
		case <-again.C:
		case <-limit:
			b.t.Fatalf("waited a minute for %s", expression)
		}
	}
}

// reads waits until an element says something.
func (b *tab) reads(selector, words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.checkVisibility() && e.innerText.includes(%q))`, selector, words))
}

// press clicks the visible button or link of these words, inside a part of the page, once it
// stands still: what is filled in above it moves it.
func (b *tab) press(within, words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(() => {
		document.querySelector('[data-pressed]')?.removeAttribute('data-pressed');
		const is = (e) => e.checkVisibility() && !e.disabled && (e.innerText.trim() === %[2]q || e.getAttribute('aria-label') === %[2]q);
		const found = [...document.querySelectorAll('%[1]s button, %[1]s a, %[1]s label')].find(is);
		found?.setAttribute('data-pressed', '');
		const place = JSON.stringify(found?.getBoundingClientRect());
		const still = found && place === window.placed;
		window.placed = place;
		return still;
	})()`, within, words))
	b.must("press "+words, chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("[data-pressed]"))))
}

// keys types on the keyboard.
func (b *tab) keys(keys string) {
	b.t.Helper()
	b.must("type", chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

// drop drags files over the page and lets go.
func (b *tab) drop(paths ...string) {
	b.t.Helper()
	for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
		_, err := chromedp.Call(b.ctx, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 400, Y: 400,
			Data: &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}})
		b.must("drag", err)
	}
}

// pick chooses files as the file dialog does.
func (b *tab) pick(paths ...string) {
	b.t.Helper()
	b.must("pick", chromedp.Do(b.ctx, chromedp.SetUploadFiles(chromedp.CSS("musa-drop input[multiple]"), paths)))
}

// downloaded waits for a whole file and returns it.
func (b *tab) downloaded(name string) []byte {
	b.t.Helper()
	path := filepath.Join(b.downloads, name)
	until(b.t, "the download of "+name, func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	data, err := os.ReadFile(path)
	b.must("read the download", err)
	return data
}

// keys counts what a page can keep in a browser besides cookies, by place.
const keys = `({ 'local storage': localStorage.length, 'session storage': sessionStorage.length,
	databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
	workers: (await navigator.serviceWorker?.getRegistrations() ?? []).length })`

// cookies are what the browser keeps, by name, for whatever page of whatever site.
func (b *tab) cookies() map[string]string {
	b.t.Helper()
	all, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID})
	b.must("cookies", err)
	jar := map[string]string{}
	for _, c := range all.Cookies {
		jar[c.Name] = c.Value
	}
	return jar
}

// client is the same person without the page.
func (b *tab) client() *musatest.Client {
	b.t.Helper()
	token, ok := b.cookies()["musa_session"]
	if !ok {
		b.t.Fatalf("no session among the cookies %q", slices.Collect(maps.Keys(b.cookies())))
	}
	return &musatest.Client{T: b.t, Base: b.base, Token: token}
}

// wantContent asks for a picture's bytes without the page, whose console must stay quiet.
func (b *tab) wantContent(status int, id string) {
	b.t.Helper()
	if a := b.client().Content(id); a.Status != status {
		b.t.Errorf("content of %s: status %d, want %d", id, a.Status, status)
	}
}

// fits checks that nothing makes the page scroll sideways.
func (b *tab) fits() {
	b.t.Helper()
	if over := see[int64](b, `document.documentElement.scrollWidth`) - b.screen.width; over > 0 {
		b.t.Errorf("the page is %d px wider than the screen", over)
	}
}
