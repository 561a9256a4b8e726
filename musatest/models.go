package musatest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"musa/neural"
)

// Models is the folder of the neural networks: MUSA_MODELS, or models beside go.mod. What
// is missing is fetched.
func Models(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MUSA_MODELS")
	if dir == "" {
		dir = filepath.Join(Root(t), "models")
	}
	must(t, neural.Pull(context.Background(), neural.Config{Dir: dir, Progress: func(p neural.PullProgress) { t.Log("models:", p) }}))
	return dir
}

// Root is the module's folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	must(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working folder")
		}
		dir = up
	}
}
