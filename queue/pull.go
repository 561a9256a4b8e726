package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	pullExpiry = 10 * time.Second
	// pullHeartbeat is how often the server shows that it knows our request; two
	// missed, and the lane is looked up again.
	pullHeartbeat = time.Second
)

// errSilent says that the server forgot a request for a job.
var errSilent = errors.New("no word about a request for a job")

// puller asks a consumer for one message at a time. The client library's iterator can
// do that too, but forgets to ask when an answer overtakes its own bookkeeping, which
// in-process connections make common; each time cost 2.5 s.
type puller struct {
	nc      *nats.Conn
	sub     *nats.Subscription
	subject string // where requests go
	request []byte
	inbox   string // one token short of where answers go
	count   int
	reply   string // inbox of the request that is open; empty if none is
}

func newPuller(nc *nats.Conn, c jetstream.Consumer) (*puller, error) {
	info := c.CachedInfo()
	p := &puller{
		nc: nc, inbox: nc.NewInbox() + ".",
		subject: "$JS.API.CONSUMER.MSG.NEXT." + info.Stream + "." + info.Name,
		request: fmt.Appendf(nil, `{"batch":1,"expires":%d,"idle_heartbeat":%d}`, pullExpiry, pullHeartbeat),
	}
	var err error
	if p.sub, err = nc.SubscribeSync(p.inbox + "*"); err != nil {
		return nil, unreachable(err)
	}
	return p, nil
}

// next waits for a message until ctx ends. Other errors mean that the consumer may be
// gone, and that this puller is of no more use.
func (p *puller) next(ctx context.Context) (*nats.Msg, error) {
	for {
		if err := p.ask(); err != nil {
			return nil, err
		}
		msg, err := p.answer(ctx)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(msg.Reply, "$JS.ACK.") {
			p.reply = ""
			return msg, nil
		}
		if msg.Subject != p.reply {
			continue // about an earlier request
		}
		switch status := msg.Header.Get("Status"); status {
		case "100": // heartbeat
		case "404", "408": // none came while the request was open
			p.reply = ""
		default:
			return nil, fmt.Errorf("request for a job: status %s", status)
		}
	}
}

// ask sends a request unless one is open.
func (p *puller) ask() error {
	if p.reply != "" {
		return nil
	}
	p.count++
	p.reply = p.inbox + strconv.Itoa(p.count)
	if err := p.nc.PublishRequest(p.subject, p.reply, p.request); err != nil {
		return unreachable(err)
	}
	return nil
}

func (p *puller) answer(ctx context.Context) (*nats.Msg, error) {
	patient, cancel := context.WithTimeout(ctx, 2*pullHeartbeat)
	defer cancel()
	msg, err := p.sub.NextMsgWithContext(patient)
	switch {
	case err == nil:
		return msg, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errSilent
	}
	return nil, unreachable(err)
}

// close ends the open request and returns the message that answered it meanwhile, if
// any: it must be given back, or it would lie idle for AckWait.
func (p *puller) close() *nats.Msg {
	if p.reply == "" || !p.nc.IsConnected() || p.sub.Drain() != nil {
		p.sub.Unsubscribe() // fails only when it is gone already
		return nil
	}
	for {
		msg, err := p.sub.NextMsg(answerWait)
		if err != nil {
			return nil
		}
		if strings.HasPrefix(msg.Reply, "$JS.ACK.") {
			return msg // one request, one message: Drain does the rest
		}
	}
}
