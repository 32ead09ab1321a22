package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

const (
	tick    = 10 * time.Millisecond
	firstID = 1 << 40
	third   = 3  // etcd's client renews a lease when a third of its time has gone
	atOnce  = 16 // leases that each connection asks for at the same time
)

// keepAlive grants the leases and renews each of them every third of its TTL, one stream on each connection. Measured
// is the renewing, not the granting; no lease may be lost.
func keepAlive(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renewers := make([]*renewer, len(connections))
	stop := make(chan struct{})
	var busy, granting sync.WaitGroup
	for i, connection := range connections {
		client := pb.NewLeaseClient(connection)
		stream, err := client.LeaseKeepAlive(ctx)
		if err != nil {
			return nil, err
		}
		r := &renewer{settings: s, stream: stream, first: i, step: len(connections)}
		r.renewed = make([]time.Time, (s.leases-i+r.step-1)/r.step)
		renewers[i] = r
		granting.Go(func() { fail(cancel, r.grant(ctx, client)) })
		busy.Go(func() { fail(cancel, r.send(stop)) })
		busy.Go(func() { fail(cancel, r.receive()) })
	}
	granting.Wait()
	m := load.StartAfterWarmUp(s.Plan)
	m.Wait(ctx)
	close(stop)
	busy.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	samples := [][]load.Sample{}
	for _, each := range renewers {
		samples = append(samples, each.samples)
	}
	return m.Report(len(m.Within(samples)), nil), allThere(ctx, s, connections[0])
}

func fail(cancel context.CancelCauseFunc, err error) {
	if err != nil {
		cancel(err)
	}
}

// renewer keeps the leases `first`, `first + step` … alive, beginning with those that are granted already.
type renewer struct {
	*settings
	stream      pb.Lease_LeaseKeepAliveClient
	first, step int
	renewed     []time.Time // when each was granted or renewed last; those from `granted` on are not there yet
	granted     atomic.Int64
	samples     []load.Sample
}

func (r *renewer) id(number int) int64 { return int64(firstID + r.first + number*r.step) }

// grant makes the leases, some at a time.
func (r *renewer) grant(ctx context.Context, client pb.LeaseClient) error {
	for from := 0; from < len(r.renewed); from += atOnce {
		end := min(from+atOnce, len(r.renewed))
		errs := make([]error, end-from)
		var busy sync.WaitGroup
		for number := from; number < end; number++ {
			busy.Go(func() {
				_, errs[number-from] = client.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: r.id(number), TTL: r.ttl})
			})
		}
		busy.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		for number := from; number < end; number++ {
			r.renewed[number] = time.Now()
		}
		r.granted.Store(int64(end))
	}
	return nil
}

// send asks for renewals, each tick as many as are due, until it is stopped.
func (r *renewer) send(stop <-chan struct{}) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	next := 0
	for {
		select {
		case <-stop:
			return r.stream.CloseSend()
		case <-r.stream.Context().Done():
			return nil
		case <-ticker.C:
		}
		due := time.Now().Add(-time.Duration(r.ttl) * time.Second / third)
		for granted := int(r.granted.Load()); granted > 0 && r.renewed[next%granted].Before(due); next = (next + 1) % granted {
			if err := r.stream.Send(&pb.LeaseKeepAliveRequest{ID: r.id(next % granted)}); err != nil {
				return err
			}
			r.renewed[next%granted] = time.Now()
		}
	}
}

// receive counts the answers until the server ends the stream, as it does when no more is asked.
func (r *renewer) receive() error {
	for {
		answer, err := r.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if answer.TTL <= 0 {
			return fmt.Errorf("lease %x is lost", answer.ID)
		}
		r.samples = append(r.samples, load.Sample{Ended: time.Now()})
	}
}

// allThere checks that no lease has expired.
func allThere(ctx context.Context, s *settings, connection *grpc.ClientConn) error {
	answer, err := pb.NewLeaseClient(connection).LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
	if err == nil && len(answer.Leases) != s.leases {
		return fmt.Errorf("%d of %d leases are left", len(answer.Leases), s.leases)
	}
	return err
}
