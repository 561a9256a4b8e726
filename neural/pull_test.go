package neural_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"musa"
	"musa/neural"
)

// pullContext is the context of the pull that all tests share; no one test owns it.
func pullContext() context.Context { return context.Background() }

func TestListTellsPresentMissingAndCorrupt(t *testing.T) {
	t.Parallel()
	from, dir := modelsDir(t), t.TempDir()
	list, err := neural.List(from)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(neural.Networks())+1 {
		t.Errorf("%d models, want each network and the library", len(list))
	}
	for _, m := range list {
		if m.State != neural.Present || m.Licence == "" || !strings.Contains(m.Package, "@") {
			t.Errorf("after a pull %+v", m)
		}
	}
	data, err := os.ReadFile(filepath.Join(from, "upconv7-2x.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "upconv7-2x.onnx"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	list, err = neural.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		want := neural.Missing
		if m.Name == string(neural.UpConv2x) {
			want = neural.Corrupt
		}
		if m.State != want {
			t.Errorf("%s is %s, want %s", m.Name, m.State, want)
		}
	}
}

func TestMissingModelNamesTheCommand(t *testing.T) {
	t.Parallel()
	r := neural.Open(t.TempDir())
	for _, err := range []error{
		r.Ready(neural.CUNet2x),
		applyError(t, r, neural.CUNet2x),
	} {
		var p *musa.Problem
		if !errors.As(err, &p) || !errors.Is(err, musa.ErrUnavailable) {
			t.Fatalf("got %v, want an unavailable problem", err)
		}
		if p.Code != "model_missing" || !strings.Contains(p.Public, neural.PullCommand) {
			t.Errorf("problem %+v does not name the way out", p)
		}
	}
}

func TestCorruptModelIsNotLoaded(t *testing.T) {
	t.Parallel()
	from, dir := modelsDir(t), t.TempDir()
	for _, name := range []string{"libonnxruntime.so.1", "upconv7-2x.onnx"} {
		abs, err := filepath.Abs(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if name != "upconv7-2x.onnx" {
			if err := os.Symlink(abs, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := os.ReadFile(abs)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(data, 0), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := neural.Open(dir)
	var p *musa.Problem
	if err := applyError(t, r, neural.UpConv2x); !errors.As(err, &p) || p.Code != "model_corrupt" {
		t.Errorf("got %v, want model_corrupt", err)
	}
}

func applyError(t *testing.T, r *neural.Runtime, n neural.Network) error {
	t.Helper()
	_, err := apply(t.Context(), r, n, blank(16, 16), nil)
	return err
}

func TestPullRefusesAPackageThatIsNotThePinnedOne(t *testing.T) {
	t.Parallel()
	shelf, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(shelf, "onnxruntime-node-1.30.0.tgz"), []byte("not the package"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := neural.Pull(t.Context(), neural.Config{Dir: dir, Packages: shelf})
	var p *musa.Problem
	if !errors.As(err, &p) || p.Code != "model_corrupt" {
		t.Fatalf("got %v, want model_corrupt", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v (%v)", left, err)
	}
}

func TestPullStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var stages []string
	err := neural.Pull(ctx, neural.Config{Dir: t.TempDir(), Packages: t.TempDir(), Progress: func(p neural.PullProgress) {
		stages = append(stages, p.Stage)
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || len(stages) != 1 {
		t.Errorf("got %v after %v, want to stop in the first stage", err, stages)
	}
}

func TestPullOfWhatIsThereReachesForNothing(t *testing.T) {
	t.Parallel()
	err := neural.Pull(t.Context(), neural.Config{Dir: modelsDir(t), Progress: func(p neural.PullProgress) {
		t.Errorf("it did %+v although all is there", p)
	}})
	if err != nil {
		t.Error(err)
	}
}
