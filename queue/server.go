package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"musa"
)

// memoryLimit holds about 400,000 announced jobs; at most two per person and lane are
// out at once.
const memoryLimit = 96 << 20

// embed starts a server that listens on no socket and keeps everything in memory.
func embed() (*server.Server, error) {
	scratch, err := scratchDir()
	if err != nil {
		return nil, fmt.Errorf("start embedded queue: %w", err)
	}
	// The server insists on a directory at its start and never looks at it again while
	// all streams are in memory. Taking it away makes any later file an error.
	defer os.RemoveAll(scratch)

	srv, err := server.NewServer(&server.Options{
		ServerName:             "musa",
		DontListen:             true,
		NoLog:                  true,
		NoSigs:                 true,
		JetStream:              true,
		JetStreamMaxMemory:     memoryLimit,
		JetStreamMaxStore:      1, // byte: a stream in files is refused
		StoreDir:               scratch,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("start embedded queue: %w", err)
	}
	srv.Start()
	if !srv.ReadyForConnections(answerWait) || !srv.JetStreamEnabled() {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, &musa.Problem{
			Kind: musa.ErrUnavailable, Code: "queue_not_started",
			Public: "The embedded job queue did not start. Check that /dev/shm or the temporary directory can be written at the start.",
		}
	}
	return srv, nil
}

// scratchDir prefers memory to a disk, though only empty folders stand there, and only
// for the milliseconds of a start.
func scratchDir() (string, error) {
	pattern := fmt.Sprintf("musa-queue-%d-", os.Getpid())
	if dir, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", pattern)
}

// dialer lets the connections go where everything else goes: through egress.
type dialer struct {
	ctx  context.Context
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (d dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, answerWait)
	defer cancel()
	if d.dial == nil {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return d.dial(ctx, network, address)
}

// remote reads the URL setting. Its errors never hold the URL: passwords stand there.
func remote(setting string) (servers string, options []nats.Option, err error) {
	// Names are resolved by the dialer, which judges them; and only declared servers
	// are dialled, not those that the cluster advertises.
	options = []nats.Option{nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(), nats.Timeout(answerWait)}
	var bare []string
	for one := range strings.SplitSeq(setting, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" || (u.Scheme != "nats" && u.Scheme != "tls") {
			return "", nil, badURL()
		}
		more, err := files(u.Query())
		if err != nil {
			return "", nil, err
		}
		options = append(options, more...)
		u.RawQuery = ""
		bare = append(bare, u.String())
	}
	return strings.Join(bare, ","), options, nil
}

// files turns the query of a URL into options.
func files(query url.Values) ([]nats.Option, error) {
	var options []nats.Option
	for name := range query {
		path := query.Get(name)
		switch name {
		case "creds":
			options = append(options, nats.UserCredentials(path))
		case "ca":
			options = append(options, nats.RootCAs(path))
		case "cert":
			options = append(options, nats.ClientCert(path, query.Get("key")))
		case "key":
			if !query.Has("cert") {
				return nil, badURL()
			}
		default:
			return nil, badURL()
		}
	}
	return options, nil
}

func badURL() error {
	return &musa.Problem{
		Kind: musa.ErrInvalid, Code: "queue_bad_url", Field: "nats",
		Public: "The setting nats cannot be read. Write nats://host:4222 or tls://user:password@host:4222, several parted by commas, " +
			"with ?creds=, ca=, cert= and key= for files; leave it empty for the embedded queue.",
	}
}

// disconnected tells the operator; the client tries again by itself.
func (q *Queue) disconnected(_ *nats.Conn, err error) {
	if err != nil && q.ctx.Err() == nil {
		q.log.Warn("queue: connection lost, trying again", "error", err)
	}
}

// reconnected sets up pulls anew, since the server may have forgotten the streams, and
// tells listeners that they may have missed notices.
func (q *Queue) reconnected(*nats.Conn) {
	q.log.Info("queue: connected again")
	q.renewEpoch()
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.listeners {
		l.miss()
	}
}

// stumbled hears of errors that no call returns.
func (q *Queue) stumbled(_ *nats.Conn, sub *nats.Subscription, err error) {
	if q.ctx.Err() != nil {
		return
	}
	q.log.Warn("queue: connection error", "error", err)
	if sub == nil || !errors.Is(err, nats.ErrSlowConsumer) {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.listeners {
		if l.sub == sub {
			l.miss()
		}
	}
}

// renewEpoch makes every Work look its stream and consumer up again.
func (q *Queue) renewEpoch() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endEpoch()
	q.epoch, q.endEpoch = context.WithCancel(q.ctx)
}

// round gives a context that ends with ctx, with the epoch, or with the queue.
func (q *Queue) round(ctx context.Context) (context.Context, context.CancelFunc) {
	q.mu.Lock()
	epoch := q.epoch
	q.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(epoch, cancel)
	return ctx, func() { release(); cancel() }
}

// rest waits before another try, or until there is no more reason to wait.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
