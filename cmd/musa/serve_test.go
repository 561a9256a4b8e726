package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A network of proxies that cannot be read stops the start before anything is opened or made, and
// says which setting it was and how it is written; in each place where settings stand.
func TestServeRefusesUnreadableProxies(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "musa.yaml")
	verifyMust(t, os.WriteFile(file, []byte("trusted-proxies: [10.0.0.0/8, 10.0.0.0/99]\n"), 0o600))
	data := filepath.Join(dir, "data")
	common := []string{"serve", "--data", data, "--keys", filepath.Join(dir, "musa.keys"), "--listen", "127.0.0.1:0"}
	for place, start := range map[string]func() []string{
		"a flag":       func() []string { return []string{"--trusted-proxies", "10.0.0.0/8,everywhere"} },
		"the file":     func() []string { return []string{"--config", file} },
		"a variable":   func() []string { t.Setenv("MUSA_TRUSTED_PROXIES", "10.0.0.1 10.0.0.0/99"); return nil },
		"the internet": func() []string { return []string{"--trusted-proxies", "0.0.0.0/0"} },
	} {
		var out, errs bytes.Buffer
		if code := run(append(common, start()...), &out, &errs); code != 2 || !strings.Contains(errs.String(), "trusted-proxies: ") || !strings.Contains(errs.String(), "10.0.0.0/8") {
			t.Errorf("%s: exit %d: %s", place, code, errs.String())
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("%s: the data folder was made", place)
		}
	}
}
