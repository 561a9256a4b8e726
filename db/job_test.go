package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"musa"
	"musa/db"
)

// order adds a queued job.
func (s *store) order(t testing.TB, owner musa.SubjectID, announced musa.Millis, inputs ...musa.AssetID) musa.JobID {
	t.Helper()
	j := db.Job{ID: musa.NewJobID(start.Time()), Owner: owner, Author: owner, Kind: musa.KindUpscale, Lane: "local", State: musa.JobQueued,
		Created: start, Announced: announced, Seconds: 1.5, PolicyVersion: "1"}
	write(t, s.DB, func(ctx context.Context, tx db.Tx) error { return tx.InsertJob(ctx, j, inputs...) })
	return j.ID
}

func (s *store) claim(t testing.TB, c db.Claim) (j db.Job, ok bool) {
	t.Helper()
	write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		j, ok, err = tx.ClaimJob(ctx, c)
		return err
	})
	return j, ok
}

func (s *store) finish(t testing.TB, id musa.JobID, attempt int) (ok bool) {
	t.Helper()
	write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
		ok, err = tx.FinishJob(ctx, id, attempt, musa.JobSucceeded, "")
		return err
	})
	return ok
}

// A runner that was given up on commits nothing once another has the job.
func TestClaimsAreFencedByAttempt(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		id := s.order(t, s.person(t), start)
		first, ok := s.claim(t, db.Claim{Job: id, Runner: "a"})
		if !ok || first.Attempt != 1 || first.State != musa.JobRunning || first.Started != start || first.Seconds != 1.5 {
			t.Fatalf("first claim: %v %+v", ok, first)
		}
		if _, ok := s.claim(t, db.Claim{Job: id, Runner: "b"}); ok {
			t.Error("a running job was claimed without redelivery")
		}
		second, ok := s.claim(t, db.Claim{Job: id, Runner: "b", Redelivered: true})
		if !ok || second.Attempt != 2 || second.Runner != "b" {
			t.Fatalf("second claim: %v %+v", ok, second)
		}
		if s.finish(t, id, 1) {
			t.Error("the first runner finished a job that is another's")
		}
		if !s.finish(t, id, 2) {
			t.Error("the second runner could not finish")
		}
		if s.finish(t, id, 2) {
			t.Error("the job ended twice")
		}
		if _, ok := s.claim(t, db.Claim{Job: id, Runner: "c", Redelivered: true}); ok {
			t.Error("an ended job was claimed")
		}
	})
}

func TestManyRunnersOneJob(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		id := s.order(t, s.person(t), start)
		nodes := []*db.DB{s.DB, s.join(t)}
		var won atomic.Int32
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				err := nodes[i%2].Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					_, ok, err := tx.ClaimJob(ctx, db.Claim{Job: id, Runner: fmt.Sprint(i)})
					if ok {
						won.Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if won.Load() != 1 {
			t.Errorf("%d runners claimed one job", won.Load())
		}
	})
}

func TestCancelFromAnyOpenState(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		queued, running := s.order(t, owner, start), s.order(t, owner, start)
		s.claim(t, db.Claim{Job: running, Runner: "a"})
		for _, id := range []musa.JobID{queued, running} {
			for _, want := range []bool{true, false} {
				write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
					ok, err := tx.CancelJob(ctx, id)
					if ok != want {
						t.Errorf("cancel says %v, want %v", ok, want)
					}
					return err
				})
			}
		}
		if s.finish(t, running, 1) {
			t.Error("a cancelled job was finished")
		}
	})
}

func TestARemoteCallIsMarkedOnce(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		id := s.order(t, s.person(t), start)
		s.claim(t, db.Claim{Job: id, Runner: "a"})
		send := func(attempt int) (ok bool) {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				ok, err = tx.SendJob(ctx, id, attempt)
				return err
			})
			return ok
		}
		if send(2) || !send(1) || send(1) {
			t.Error("the mark is not set exactly once, by the runner of the attempt")
		}
		s.claim(t, db.Claim{Job: id, Runner: "b", Redelivered: true})
		if send(2) {
			t.Error("a redelivered job may send again")
		}
	})
}

func TestAnInputIsInUseUntilItsLastJobEnds(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		a := s.hang(t, owner, start+100)
		one, two := s.order(t, owner, start, a.ID), s.order(t, owner, start, a.ID, a.ID)
		for i, c := range []struct {
			job   musa.JobID
			uses  int
			ended musa.Millis
		}{{one, 1, 0}, {two, 0, start + 2}} {
			s.turn(start + musa.Millis(i) + 1)
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				changed, err := tx.EndUse(ctx, c.job)
				if err != nil || len(changed) != 1 || changed[0].Uses != c.uses || changed[0].JobEnded != c.ended {
					t.Errorf("after job %d: %+v", i, changed)
				}
				return err
			})
		}
		for _, c := range []struct {
			at   musa.Millis
			want error
		}{{start + 99, nil}, {start + 100, musa.ErrGone}} {
			s.turn(c.at)
			err := s.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return tx.InsertJob(ctx, db.Job{ID: musa.NewJobID(start.Time()), Owner: owner, State: musa.JobQueued}, a.ID)
			})
			if !errors.Is(err, c.want) {
				t.Errorf("at %d an order gives %v, want %v", c.at-start, err, c.want)
			}
		}
	})
}

// At most two jobs of a person are out at once, however many they order at once.
func TestTurns(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		nodes := []*db.DB{s.DB, s.join(t)}
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				err := nodes[i%2].Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
					out, err := tx.OutCount(ctx, owner, "local")
					if err != nil {
						return err
					}
					j := db.Job{ID: musa.NewJobID(start.Time()), Owner: owner, Author: owner, Lane: "local", State: musa.JobQueued, Created: tx.Now}
					if out < 2 {
						j.Announced = tx.Now
					}
					return tx.InsertJob(ctx, j)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		seen := map[musa.JobID]bool{}
		for range 10 {
			var out []db.Job
			read(t, s.DB, func(ctx context.Context, tx db.Tx) (err error) {
				out, err = tx.Announced(ctx, "", 100)
				return err
			})
			if len(out) != 2 {
				t.Fatalf("%d jobs are out", len(out))
			}
			for _, j := range out {
				wait.Go(func() {
					err := s.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
						if ok, err := tx.CancelJob(ctx, j.ID); !ok || err != nil {
							return fmt.Errorf("cancel %v: %w", ok, err)
						}
						_, _, err := tx.NextToAnnounce(ctx, owner, "local")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
				seen[j.ID] = true
			}
			wait.Wait()
		}
		if len(seen) != 20 {
			t.Errorf("%d of 20 jobs had their turn", len(seen))
		}
	})
}

func TestPlacesInTheQueue(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		one, other := s.person(t), s.person(t)
		var waiting []musa.JobID
		for range 3 {
			waiting = append(waiting, s.order(t, one, 0))
		}
		slices.Sort(waiting)
		first, second := s.order(t, other, start+1), s.order(t, other, start+2)
		want := map[musa.JobID]int{first: 0, second: 1, waiting[0]: 2, waiting[1]: 3, waiting[2]: 4}
		read(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			for id, n := range want {
				got, err := tx.Position(ctx, id)
				if err != nil || got != n {
					t.Errorf("position is %d (%v), want %d", got, err, n)
				}
			}
			_, err := tx.Position(ctx, musa.NewJobID(start.Time()))
			if !errors.Is(err, musa.ErrNotFound) {
				t.Errorf("an unknown job's position gives %v", err)
			}
			lost, err := tx.WaitingOwners(ctx, 10)
			if len(lost) != 1 || lost[0].Owner != one || lost[0].Lane != "local" {
				t.Errorf("turns were lost by %v", lost)
			}
			return err
		})
		s.claim(t, db.Claim{Job: first, Runner: "a"})
		write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
			if n, err := tx.Position(ctx, second); err != nil || n != 0 {
				t.Errorf("behind a running job it is %d (%v)", n, err)
			}
			n, err := tx.RequeueJobs(ctx)
			if n != 1 {
				t.Errorf("%d jobs were requeued", n)
			}
			return err
		})
		if j, ok := s.claim(t, db.Claim{Job: first, Runner: "b"}); !ok || j.Attempt != 2 {
			t.Errorf("a requeued job is claimed as attempt %d (%v)", j.Attempt, ok)
		}
	})
}

func TestOldJobsAreForgotten(t *testing.T) {
	on(t, func(t *testing.T, s *store) {
		owner := s.person(t)
		a := s.hang(t, owner, 0)
		id := s.order(t, owner, start, a.ID)
		s.order(t, owner, start)
		s.claim(t, db.Claim{Job: id, Runner: "a"})
		s.finish(t, id, 1)
		for _, c := range []struct {
			before musa.Millis
			want   int
		}{{start, 0}, {start + 1, 1}} {
			write(t, s.DB, func(ctx context.Context, tx db.Tx) error {
				n, err := tx.DropJobs(ctx, c.before, 10)
				if n != c.want {
					t.Errorf("%d jobs forgotten, want %d", n, c.want)
				}
				return err
			})
		}
	})
}
