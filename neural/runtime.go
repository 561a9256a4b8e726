package neural

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/semaphore"
)

// Runtime holds the sessions of one node. It is safe for concurrent use.
type Runtime struct {
	dir   string
	cores int
	// turn is held while a tile runs. It is handed on in the order of asking, and a job
	// asks anew for each tile, so jobs go round robin.
	turn *semaphore.Weighted

	mu       sync.Mutex // guards sessions (and when they were used), speed and closed
	sessions map[Network]*session
	speed    map[Network]float64 // seconds per million input pixels, moving average
	closed   bool
}

// Open returns a runtime over the models in dir (empty = DefaultDir). It loads nothing:
// a network is loaded when it is first used.
func Open(dir string) *Runtime {
	if dir == "" {
		dir = DefaultDir
	}
	return &Runtime{dir: dir, cores: runtime.GOMAXPROCS(0), turn: semaphore.NewWeighted(1),
		sessions: map[Network]*session{}, speed: map[Network]float64{}}
}

// Ready says whether a network could be used: nil, or a *musa.Problem (ErrUnavailable,
// model_missing) that names the command which fetches it. It reads no file's content.
func (r *Runtime) Ready(n Network) error {
	for _, name := range []string{libraryName, string(n)} {
		a, ok := lock.artefact(name)
		if !ok {
			return missing(name+" for "+runtime.GOARCH, nil)
		}
		if _, err := os.Stat(filepath.Join(r.dir, a.File)); err != nil {
			return missing(a.File, err)
		}
	}
	return nil
}

// Close drops all sessions and their memory. Work that is running ends first; later work
// is refused.
func (r *Runtime) Close() error {
	if err := r.turn.Acquire(context.Background(), 1); err != nil {
		return err
	}
	defer r.turn.Release(1)
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	return r.release(0)
}

// environment is the process's one onnxruntime. The library cannot be unloaded safely
// while threads of it may live, so it stays until the process ends.
var environment struct {
	sync.Mutex
	ready bool
}

func startEnvironment(dir string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.ready {
		return nil
	}
	a, ok := lock.artefact(libraryName)
	if !ok {
		return missing(libraryName+" for "+runtime.GOARCH, nil)
	}
	path, err := verified(dir, a)
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	// The library reports home from its first moment: it keeps an id of the machine in the
	// user's cache, a session's in the temporary folder, and sends both off. Only this stops
	// it before it begins; DisableTelemetry comes too late for that. DESIGN rule 5.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return fmt.Errorf("switch off onnxruntime's telemetry: %w", err)
	}
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return corrupt(a.File, fmt.Errorf("start onnxruntime: %w", err))
	}
	environment.ready = true
	return ort.DisableTelemetry()
}

// verified returns the absolute path of an artefact whose hash has just been found right.
func verified(dir string, a lockArtefact) (string, error) {
	state, err := a.state(dir)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", a.File, err)
	}
	switch state {
	case Missing:
		return "", missing(a.File, nil)
	case Corrupt:
		return "", corrupt(a.File, nil)
	}
	return filepath.Abs(filepath.Join(dir, a.File))
}

type session struct {
	network Network
	ort     *ort.DynamicAdvancedSession
	used    time.Time // when its last tile ended; guarded by Runtime.mu
}

// rest is how long an unused session keeps its memory (150 to 650 MB) once another
// network is loaded. It is longer than a round of turns, so that jobs which use
// different networks do not throw out each other's.
const rest = 30 * time.Second

// Release drops the sessions that were last used at least idle ago, and their memory.
// They are loaded again when needed.
func (r *Runtime) Release(ctx context.Context, idle time.Duration) error {
	if err := r.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer r.turn.Release(1)
	return r.release(idle)
}

// release needs the turn, so that no tile is running.
func (r *Runtime) release(idle time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for n, s := range r.sessions {
		if time.Since(s.used) >= idle {
			errs = append(errs, s.ort.Destroy())
			delete(r.sessions, n)
		}
	}
	return errors.Join(errs...)
}

// errClosed is what work on a closed runtime gets.
var errClosed = errors.New("the neural runtime is closed")

// session returns the network's one session, loading it at first use. The caller holds
// the turn, so that two jobs never load at once.
func (r *Runtime) session(n Network) (*session, error) {
	r.mu.Lock()
	s, ok := r.sessions[n]
	closed := r.closed
	r.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if ok {
		return s, nil
	}
	a, ok := lock.artefact(string(n))
	if !ok {
		return nil, missing(string(n), nil)
	}
	if err := errors.Join(startEnvironment(r.dir), r.release(rest)); err != nil {
		return nil, err
	}
	path, err := verified(r.dir, a)
	if err != nil {
		return nil, err
	}
	loaded, err := load(path, r.cores)
	if err != nil {
		return nil, corrupt(a.File, err)
	}
	s = &session{network: n, ort: loaded, used: time.Now()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[n] = s
	return s, nil
}

func load(path string, cores int) (_ *ort.DynamicAdvancedSession, err error) {
	opts, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opts.Destroy()) }()
	// Threads that spin between tiles would take the cores from the rest of the server.
	err = errors.Join(opts.SetIntraOpNumThreads(cores), opts.SetInterOpNumThreads(1),
		opts.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		opts.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"))
	if err != nil {
		return nil, err
	}
	return ort.NewDynamicAdvancedSession(path, []string{graphInput}, []string{graphOutput}, opts)
}

// planes is a float picture as networks take it: three planes of width × height.
type planes struct {
	data          []float32
	width, height int
}

// run carries one tile through the network when its turn has come, and returns the
// result in a buffer of the network's own output size. When ctx ends it returns at once;
// the tile, which is told to stop between two of the network's operations, gives its turn
// on when it has stopped. Close waits for that.
func (r *Runtime) run(ctx context.Context, n Network, in planes) (planes, error) {
	if err := r.turn.Acquire(ctx, 1); err != nil {
		return planes{}, err
	}
	type result struct {
		out planes
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer r.turn.Release(1)
		out, err := r.tile(ctx, n, in)
		done <- result{out, err}
	}()
	select {
	case res := <-done:
		return res.out, res.err
	case <-ctx.Done():
		return planes{}, ctx.Err()
	}
}

// tile needs the turn.
func (r *Runtime) tile(ctx context.Context, n Network, in planes) (planes, error) {
	s, err := r.session(n)
	if err != nil {
		return planes{}, err
	}
	start := time.Now()
	out, err := s.run(ctx, in)
	if err != nil {
		return planes{}, err
	}
	r.learn(n, in.width*in.height, time.Since(start))
	return out, nil
}

func (s *session) run(ctx context.Context, in planes) (_ planes, err error) {
	input, err := ort.NewTensor(ort.NewShape(1, 3, int64(in.height), int64(in.width)), in.data)
	if err != nil {
		return planes{}, fmt.Errorf("tile for %s: %w", s.network, err)
	}
	defer func() { err = errors.Join(err, input.Destroy()) }()
	opts, err := ort.NewRunOptions()
	if err != nil {
		return planes{}, fmt.Errorf("tile for %s: %w", s.network, err)
	}
	stopped := make(chan struct{})
	var stopErr error
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		stopErr = opts.Terminate()
	})
	outputs := []ort.Value{nil}
	err = s.ort.RunWithOptions([]ort.Value{input}, outputs, opts)
	if !stop() {
		// The options must outlive the call that terminates by them.
		<-stopped
	}
	err = errors.Join(err, stopErr, opts.Destroy())
	if outputs[0] != nil {
		defer func() { err = errors.Join(err, outputs[0].Destroy()) }()
	}
	if ctx.Err() != nil {
		return planes{}, ctx.Err()
	}
	if err != nil {
		return planes{}, fmt.Errorf("run %s: %w", s.network, err)
	}
	result, ok := outputs[0].(*ort.Tensor[float32])
	if !ok || len(result.GetShape()) != 4 {
		return planes{}, fmt.Errorf("run %s: the result is not a picture", s.network)
	}
	dims := result.GetShape()
	return planes{data: append([]float32(nil), result.GetData()...), height: int(dims[2]), width: int(dims[3])}, nil
}

// learn keeps the network's speed as a moving average, so that estimates follow the
// machine and its load. Edge tiles count by their pixels.
func (r *Runtime) learn(n Network, pixels int, took time.Duration) {
	const weight = 0.3
	now := took.Seconds() / (float64(pixels) / 1e6)
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.speed[n]; ok {
		now = old*(1-weight) + now*weight
	}
	r.speed[n] = now
	if s, ok := r.sessions[n]; ok {
		s.used = time.Now()
	}
}

// secondsPer is the network's speed: seconds per million input pixels on this machine.
func (r *Runtime) secondsPer(n Network) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.speed[n]; ok {
		return v
	}
	return shapes[n].guess / float64(r.cores)
}
