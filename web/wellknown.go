package web

import (
	"encoding/json"
	"net/http"
)

// gpc says, where the signal's specification looks for it, that Global Privacy Control is
// honoured here, and since when the policy in force says so. Promise W-24.
func (s *site) gpc(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	// The client may have left; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(struct {
		GPC    bool   `json:"gpc"`
		Update string `json:"lastUpdate"`
	}{true, s.policy().Effective})
}
