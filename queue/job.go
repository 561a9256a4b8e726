package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"musa"
)

const (
	streamName  = "MUSA_JOBS"
	streamBytes = 64 << 20
	// clusterCopies lets jobs outlive one server.
	clusterCopies = 3
)

// Error codes of the server that the client library does not name.
const (
	codeStoreFailed jetstream.ErrorCode = 10077
	// A standalone server cannot replicate; a cluster with too few servers neither.
	codeNoReplicas jetstream.ErrorCode = 10074
	codeNoPeers    jetstream.ErrorCode = 10005
)

// oncePerJob is how the server words that the job's message is still out. The code
// alone also means that the stream is full.
const oncePerJob = "maximum messages per subject exceeded"

func streamConfig(replicas int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 streamName,
		Subjects:             []string{jobSubjects + "*.*"},
		Retention:            jetstream.WorkQueuePolicy,
		Storage:              jetstream.MemoryStorage,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxBytes:             streamBytes,
		Replicas:             replicas,
	}
}

// ensureStream looks the stream up and makes it if the server does not know it. made
// says that whatever was announced before is gone.
func (q *Queue) ensureStream(ctx context.Context) (s jetstream.Stream, made bool, err error) {
	q.making.Lock()
	defer q.making.Unlock()
	if !q.nc.IsConnected() {
		return nil, false, unreachable(nats.ErrDisconnected)
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	s, err = q.js.Stream(ctx, streamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = q.makeStream(ctx)
		made = err == nil
	}
	if err != nil {
		return nil, false, streamProblem(err)
	}
	if err := ours(s.CachedInfo().Config); err != nil {
		return nil, false, err
	}
	q.grow(ctx, s)
	return s, made, nil
}

// ours refuses a stream that would keep jobs in files or hand them out otherwise than
// we rely on. Size limits are the operator's affair.
func ours(have jetstream.StreamConfig) error {
	if have.Storage != jetstream.MemoryStorage || have.Retention != jetstream.WorkQueuePolicy ||
		have.MaxMsgsPerSubject != 1 || !slices.Equal(have.Subjects, streamConfig(1).Subjects) {
		return &musa.Problem{
			Kind: musa.ErrUnavailable, Code: "queue_foreign_stream",
			Public: "The NATS account holds a stream " + streamName + " that is not ours. Give the studio an account of its own, or remove that stream.",
		}
	}
	return nil
}

// grow asks for the copies that a cluster could not give while its servers were still
// starting. It is asked again with each Ready, so a refusal is no error.
func (q *Queue) grow(ctx context.Context, s jetstream.Stream) {
	have := s.CachedInfo().Config
	if have.Replicas >= clusterCopies || q.nc.ConnectedClusterName() == "" {
		return
	}
	have.Replicas = clusterCopies
	if _, err := q.js.UpdateStream(ctx, have); err != nil {
		q.log.Debug("queue: the cluster cannot keep three copies of the jobs", "error", err)
	}
}

// makeStream keeps three copies where a cluster can, so that jobs outlive a server.
// Two nodes may do this at once: the same wish twice is no error.
func (q *Queue) makeStream(ctx context.Context) (jetstream.Stream, error) {
	if q.nc.ConnectedClusterName() != "" {
		s, err := q.js.CreateStream(ctx, streamConfig(clusterCopies))
		var refused *jetstream.APIError
		short := errors.As(err, &refused) && (refused.ErrorCode == codeNoReplicas || refused.ErrorCode == codeNoPeers)
		if !short {
			return q.orExisting(ctx, s, err)
		}
	}
	s, err := q.js.CreateStream(ctx, streamConfig(1))
	return q.orExisting(ctx, s, err)
}

func (q *Queue) orExisting(ctx context.Context, s jetstream.Stream, err error) (jetstream.Stream, error) {
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return q.js.Stream(ctx, streamName)
	}
	return s, err
}

func streamProblem(err error) error {
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return &musa.Problem{
			Kind: musa.ErrUnavailable, Code: "queue_no_jetstream", Cause: err,
			Public: "The server named by the setting nats runs without JetStream for this account. Enable it (nats-server --jetstream).",
		}
	}
	return unreachable(err)
}

// recovered is ensureStream after something went wrong: when the stream had to be made
// anew, every Work joins it and every node is asked to announce again.
func (q *Queue) recovered(ctx context.Context) (jetstream.Stream, error) {
	s, made, err := q.ensureStream(ctx)
	if err != nil {
		return nil, err
	}
	if made {
		q.log.Warn("queue: the server had forgotten the jobs; the stream is made anew")
		q.renewEpoch()
		if err := q.Broadcast(Notice{Kind: NoticeRefill}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Announce puts a job on a lane. While the job's message is out, waiting or in a
// runner's hands, announcing it again changes nothing and is no error. The error is
// musa.ErrInvalid for a malformed lane or id, musa.ErrUnavailable when the server
// cannot take it: the caller's sweep announces it later.
func (q *Queue) Announce(ctx context.Context, lane string, id musa.JobID) error {
	if err := errors.Join(checkLane(lane), checkJob(id)); err != nil {
		return err
	}
	if !q.nc.IsConnected() {
		// The client would buffer the message and wait; a person waits behind us.
		return fmt.Errorf("announce job %s: %w", id, unreachable(nats.ErrDisconnected))
	}
	err := q.publish(ctx, lane, id)
	if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) {
		if _, err = q.recovered(ctx); err == nil {
			err = q.publish(ctx, lane, id)
		}
	}
	if err != nil {
		return fmt.Errorf("announce job %s: %w", id, err)
	}
	return nil
}

func (q *Queue) publish(ctx context.Context, lane string, id musa.JobID) error {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	_, err := q.js.Publish(ctx, jobSubjects+lane+"."+string(id), nil, jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.ErrorCode == codeStoreFailed:
		if strings.Contains(refused.Description, oncePerJob) {
			return nil
		}
		return &musa.Problem{
			Kind: musa.ErrUnavailable, Code: "queue_full", Cause: err,
			Public: "The job queue is full. The job waits in the database and is announced as soon as there is room.",
		}
	case errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders):
		return err
	}
	return unreachable(err)
}

// consumer finds or makes the lane's one consumer, which all nodes share. Its name
// holds the moment at which the stream was made: message numbers start again with a
// new stream, and an acknowledgement meant for the old one must not hit another job.
func (q *Queue) consumer(ctx context.Context, lane string) (jetstream.Consumer, error) {
	s, err := q.recovered(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	made := strconv.FormatInt(s.CachedInfo().Created.UnixNano(), 36)
	c, err := s.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       lane + "-" + made,
		FilterSubject: jobSubjects + lane + ".*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       q.ackWait,
		MaxDeliver:    -1, // the row's attempt decides when it is enough
		MaxAckPending: -1,
		MemoryStorage: true,
	})
	if err != nil {
		return nil, streamProblem(err)
	}
	return c, nil
}

// Waiting counts the lane's jobs that no runner was handed yet.
func (q *Queue) Waiting(ctx context.Context, lane string) (int, error) {
	if err := checkLane(lane); err != nil {
		return 0, err
	}
	c, err := q.consumer(ctx, lane)
	if err != nil {
		return 0, err
	}
	return int(c.CachedInfo().NumPending), nil
}
