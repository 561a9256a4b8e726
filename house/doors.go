package house

import (
	"net/http"
	"strings"

	"musa/api"
)

// doors puts API and pages behind one handler. State-changing requests from other origins
// are refused for all of it; tools that send no Origin are no browsers and pass.
func doors(h *House, native, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", native)
	mux.Handle("/", pages)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", h.readyz)
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(foreign))
	return api.Visitors(h.Proxies, guard.Handler(mux))
}

// Routes lists what the API answers, each with the rule that says who may use it.
func (h *House) Routes() []api.Route { return h.api.Routes() }

// Pages lists the patterns of all pages. They are the same for everybody: what is personal, a
// page's script fetches from the API.
func (h *House) Pages() []string { return h.pages.Pages() }

// foreign answers a browser that another site sent to change something here.
func foreign(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusForbidden)
	// The client may have left; there is nobody to tell.
	_, _ = w.Write([]byte(`{"type":"about:blank","title":"Forbidden","status":403,"code":"cross_origin","detail":"Another site's page may not change anything here. Open the studio itself."}` + "\n"))
}

func (h *House) readyz(w http.ResponseWriter, r *http.Request) {
	if err := h.Ready(r.Context()); err != nil {
		h.Log.Warn("not ready", "err", err)
		part, _, _ := strings.Cut(err.Error(), ":")
		say(w, http.StatusServiceUnavailable, "not ready: "+part)
		return
	}
	say(w, http.StatusOK, "ready")
}

func say(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may have left; there is nobody to tell.
	_, _ = w.Write([]byte(words + "\n"))
}
