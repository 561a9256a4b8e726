// Package queue wakes runners and carries word between nodes: jobs to do, progress,
// and notices such as cancel. It speaks NATS, to a server inside the process or to a
// cluster, through one and the same client.
//
// Promises: nothing but ids, numbers and single lower-case words is ever sent; nothing
// is stored in files; a job whose runner died is handed out again after AckWait; a
// server that forgot its streams is filled anew without a restart of ours.
//
// Non-goals: it is not the truth. The database is: whoever announces must also sweep
// for rows that nobody holds, and fence results by the row's attempt, because a job
// can be delivered twice. Progress is lossy. It holds no policy and reads no settings.
//
// Trust: who holds the server sees ids and times, can withhold, repeat and invent
// messages, and so can delay jobs or wake runners for nothing. It cannot read
// pictures or words, nor make a job run that the database does not hold.
// One instance of the studio needs one NATS account: subjects carry no instance name.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"musa"
)

const (
	// A dead runner's job is promised to another within 15 s; the rest is for the
	// server's timer and the way.
	defaultAckWait    = 14500 * time.Millisecond
	defaultRetryDelay = time.Second
	// answerWait bounds each question to the server that came without a deadline.
	answerWait = 5 * time.Second
)

// ErrClosed says that the queue was closed while it was in use.
var ErrClosed = errors.New("queue closed")

// Config says where the server is and how long it waits.
type Config struct {
	// URL is empty for the server inside the process; otherwise nats:// or tls:// URLs
	// of a cluster, parted by commas. User and password or a token stand in the URL;
	// files stand in its query: creds, ca, cert and key.
	URL string
	// Dial opens connections to the URL's hosts, and to no others: hosts that the
	// cluster advertises are ignored. Nil means a plain net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Log hears of lost connections and lost acknowledgements. Nil means slog.Default.
	Log *slog.Logger
	// AckWait is how long a silent runner keeps its job; it is renewed at a third of
	// this. Zero means 14.5 s, so that a dead runner's job is in other hands within 15 s.
	AckWait time.Duration
	// RetryDelay is how long a job rests whose carry failed; it doubles with each
	// delivery up to 32 times this. Zero means 1 s.
	RetryDelay time.Duration
}

// Queue is one node's connection. It is safe for use by many goroutines.
type Queue struct {
	log        *slog.Logger
	ackWait    time.Duration
	retryDelay time.Duration

	server *server.Server // nil when remote
	nc     *nats.Conn
	js     jetstream.JetStream

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup // watchers and listeners

	making sync.Mutex // held while the stream is looked up or made

	mu        sync.Mutex // guards what follows
	closed    bool
	epoch     context.Context // ends when pulls must be set up anew
	endEpoch  context.CancelFunc
	listeners map[*listener]struct{}
}

// Open starts the embedded server or connects to the remote one, and makes the job
// stream if it is not there. It returns a *musa.Problem of kind musa.ErrUnavailable
// when the server cannot be used, musa.ErrInvalid when the URL cannot be read.
func Open(ctx context.Context, c Config) (*Queue, error) {
	q := &Queue{
		log: c.Log, ackWait: c.AckWait, retryDelay: c.RetryDelay,
		listeners: map[*listener]struct{}{},
	}
	if q.log == nil {
		q.log = slog.Default()
	}
	if q.ackWait <= 0 {
		q.ackWait = defaultAckWait
	}
	if q.retryDelay <= 0 {
		q.retryDelay = defaultRetryDelay
	}
	q.ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	q.epoch, q.endEpoch = context.WithCancel(q.ctx)

	if err := q.connect(c); err != nil {
		q.Close()
		return nil, err
	}
	if _, _, err := q.ensureStream(ctx); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

func (q *Queue) connect(c Config) error {
	options := []nats.Option{
		nats.Name("musa"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.PingInterval(10 * time.Second),
		nats.DisconnectErrHandler(q.disconnected),
		nats.ReconnectHandler(q.reconnected),
		nats.ErrorHandler(q.stumbled),
	}
	url := nats.DefaultURL // not dialled by an in-process connection
	if c.URL == "" {
		srv, err := embed()
		if err != nil {
			return err
		}
		q.server = srv
		options = append(options, nats.InProcessServer(srv))
	} else {
		servers, more, err := remote(c.URL)
		if err != nil {
			return err
		}
		url = servers
		options = append(options, more...)
		options = append(options, nats.SetCustomDialer(dialer{q.ctx, c.Dial}))
	}
	nc, err := nats.Connect(url, options...)
	if err != nil {
		return unreachable(err)
	}
	q.nc = nc
	if q.js, err = jetstream.New(nc); err != nil {
		return fmt.Errorf("open jetstream: %w", err)
	}
	return nil
}

// Close ends watchers, listeners and Work, disconnects, and stops the embedded
// server. Jobs that were announced to an embedded server are forgotten: the database
// knows them. It may be called twice.
func (q *Queue) Close() {
	q.mu.Lock()
	already := q.closed
	q.closed = true
	q.mu.Unlock()
	if already {
		return
	}
	if q.nc != nil && q.nc.IsConnected() {
		// Last reports go out; a server that does not answer shall not hold us up.
		if err := q.nc.FlushTimeout(time.Second); err != nil {
			q.log.Debug("queue: flush at close", "error", err)
		}
	}
	q.stop()
	q.wg.Wait()
	if q.nc != nil {
		q.nc.Close()
	}
	if q.server != nil {
		q.server.Shutdown()
		q.server.WaitForShutdown()
	}
}

// Embedded says that the server lives in this process, so that every announced job is
// forgotten when it ends.
func (q *Queue) Embedded() bool { return q.server != nil }

// Ready says whether jobs can be announced and taken now. The error is a
// *musa.Problem of kind musa.ErrUnavailable with the way out.
func (q *Queue) Ready(ctx context.Context) error {
	_, _, err := q.ensureStream(ctx)
	return err
}

// started runs f beside others until Close waits for it; it refuses after Close.
func (q *Queue) started(f func()) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.wg.Go(f)
	return nil
}

// within gives a context that ends with ctx or with the queue.
func (q *Queue) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(q.ctx, cancel)
	return ctx, func() { release(); cancel() }
}

// settle returns when the server has handled all that was sent before.
func (q *Queue) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	if err := q.nc.FlushWithContext(ctx); err != nil {
		return unreachable(err)
	}
	return nil
}

func unreachable(cause error) error {
	return &musa.Problem{
		Kind: musa.ErrUnavailable, Code: "queue_unreachable", Cause: cause,
		Public: "The job queue cannot be reached. Check the setting nats and that its server runs; nothing is lost meanwhile.",
	}
}
