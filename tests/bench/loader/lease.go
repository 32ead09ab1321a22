package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

const (
	tick     = 10 * time.Millisecond
	firstID  = 1 << 40
	third    = 3 // etcd's client renews a lease when a third of its time has gone
	granters = 64
)

// keepAlive grants the leases and renews each of them every third of its TTL, evenly over time, one stream on each
// connection. Measured is the renewing, not the granting; no lease may be lost.
func keepAlive(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := grant(ctx, s, connections); err != nil {
		return nil, err
	}
	renewers := make([]*renewer, len(connections))
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for i, connection := range connections {
		stream, err := pb.NewLeaseClient(connection).LeaseKeepAlive(ctx)
		if err != nil {
			return nil, err
		}
		renewers[i] = &renewer{settings: s, stream: stream, first: i, step: len(connections)}
		busy.Go(func() { fail(cancel, renewers[i].send(stop)) })
		busy.Go(func() { fail(cancel, renewers[i].receive()) })
	}
	m := startAfterWarmUp(s)
	m.wait(ctx)
	close(stop)
	busy.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	samples := [][]sample{}
	for _, each := range renewers {
		samples = append(samples, each.samples)
	}
	renewed := len(m.within(samples))
	return m.report(renewed, nil), allThere(ctx, s, connections[0])
}

func fail(cancel context.CancelCauseFunc, err error) {
	if err != nil {
		cancel(err)
	}
}

// renewer keeps the leases `first`, `first + step` … alive.
type renewer struct {
	*settings
	stream      pb.Lease_LeaseKeepAliveClient
	first, step int
	samples     []sample
}

// send asks for renewals, each tick as many as are due, until it is stopped.
func (r *renewer) send(stop <-chan struct{}) error {
	mine := (r.leases - r.first + r.step - 1) / r.step
	perSecond := float64(mine) / (float64(r.ttl) / third)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	began, sent := time.Now(), 0
	for {
		select {
		case <-stop:
			return r.stream.CloseSend()
		case <-r.stream.Context().Done():
			return nil
		case <-ticker.C:
		}
		for due := int(time.Since(began).Seconds() * perSecond); sent < due; sent++ {
			id := int64(firstID + r.first + sent%mine*r.step)
			if err := r.stream.Send(&pb.LeaseKeepAliveRequest{ID: id}); err != nil {
				return err
			}
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
		r.samples = append(r.samples, sample{ended: time.Now()})
	}
}

// grant makes the leases, many at a time.
func grant(ctx context.Context, s *settings, connections []*grpc.ClientConn) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var busy sync.WaitGroup
	for i := range granters {
		client := pb.NewLeaseClient(connections[i%len(connections)])
		busy.Go(func() {
			for id := i; id < s.leases; id += granters {
				if _, err := client.LeaseGrant(ctx, &pb.LeaseGrantRequest{ID: int64(firstID + id), TTL: s.ttl}); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	busy.Wait()
	return context.Cause(ctx)
}

// allThere checks that no lease has expired.
func allThere(ctx context.Context, s *settings, connection *grpc.ClientConn) error {
	answer, err := pb.NewLeaseClient(connection).LeaseLeases(ctx, &pb.LeaseLeasesRequest{})
	if err == nil && len(answer.Leases) != s.leases {
		return fmt.Errorf("%d of %d leases are left", len(answer.Leases), s.leases)
	}
	return err
}
