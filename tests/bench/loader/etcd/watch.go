package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

const (
	drainSeconds = 30
	restSeconds  = 0.01 // between two puts to a server that is to be idle
)

// fanOut has one writer put one key after the other while the watchers, spread evenly over the connections with one
// stream on each, receive every put. An operation is an event delivered to a watcher; the latencies are the puts'.
// Every event must have arrived in the end.
func fanOut(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var delivered atomic.Int64
	for i, connection := range connections {
		share := s.watchers / len(connections)
		if i < s.watchers%len(connections) {
			share++
		}
		stream, err := watch(ctx, s, connection, share)
		if err != nil {
			return nil, err
		}
		go func() {
			cancel(receive(stream, func(answer *pb.WatchResponse) { delivered.Add(int64(len(answer.Events))) }))
		}()
	}
	writer := &countingPutter{putter: putter{s, pb.NewKVClient(connections[0]), s.value()}}
	stop := make(chan struct{})
	var samples []load.Sample
	var busy sync.WaitGroup
	busy.Go(func() {
		var err error
		if samples, err = load.KeepCalling(ctx, writer.call, stop); err != nil {
			cancel(err)
		}
	})
	m := load.StartAfterWarmUp(s.Plan)
	before := delivered.Load()
	m.Wait(ctx)
	inTime := int(delivered.Load() - before)
	close(stop)
	busy.Wait()
	if err := drained(ctx, &delivered, writer.done*int64(s.watchers)); err != nil {
		return nil, err
	}
	return m.Report(inTime, m.Within([][]load.Sample{samples})), nil
}

// countingPutter knows how many puts it has made.
type countingPutter struct {
	putter
	done int64
}

func (p *countingPutter) call(ctx context.Context) error {
	err := p.putter.call(ctx)
	if err == nil {
		p.done++
	}
	return err
}

// watch opens a stream with so many watches of the prefix and returns when they are there.
func watch(ctx context.Context, s *settings, connection *grpc.ClientConn, watches int) (pb.Watch_WatchClient, error) {
	stream, err := pb.NewWatchClient(connection).Watch(ctx)
	if err != nil {
		return nil, err
	}
	for range watches {
		create := &pb.WatchCreateRequest{Key: []byte(s.prefix), RangeEnd: s.end()}
		request := &pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: create}}
		if err := stream.Send(request); err != nil {
			return nil, err
		}
	}
	for range watches {
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if !answer.Created {
			return nil, fmt.Errorf("watch: expected that it is created, not %v", answer)
		}
	}
	return stream, nil
}

// receive hands every answer on until the stream ends.
func receive(stream pb.Watch_WatchClient, take func(*pb.WatchResponse)) error {
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		if answer.Canceled {
			return fmt.Errorf("watch cancelled: %s", answer.CancelReason)
		}
		take(answer)
	}
}

// drained waits until every event has arrived.
func drained(ctx context.Context, delivered *atomic.Int64, expected int64) error {
	for deadline := time.Now().Add(drainSeconds * time.Second); time.Now().Before(deadline); {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		switch seen := delivered.Load(); {
		case seen == expected:
			return nil
		case seen > expected:
			return fmt.Errorf("%d events arrived, %d were written", seen, expected)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%d of %d events arrived within %d s", delivered.Load(), expected, drainSeconds)
}

// putToEvent puts a key, waits for its event, rests and does so again. An operation's latency is the time from
// before the put to the event at the watcher, on another connection when there are two.
func putToEvent(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	stream, err := watch(ctx, s, connections[len(connections)-1], 1)
	if err != nil {
		return nil, err
	}
	writer := &putter{s, pb.NewKVClient(connections[0]), s.value()}
	latencies := []time.Duration{}
	m := load.Start(s.Plan)
	for time.Now().Before(m.Ends) {
		took, err := onePut(ctx, writer, stream)
		if err != nil {
			return nil, err
		}
		latencies = append(latencies, took)
		time.Sleep(load.Duration(restSeconds))
	}
	m.Stop()
	return m.Report(len(latencies), latencies), nil
}

func onePut(ctx context.Context, writer *putter, stream pb.Watch_WatchClient) (time.Duration, error) {
	answered := make(chan error, 1)
	began := time.Now()
	go func() { answered <- writer.call(ctx) }()
	answer, err := stream.Recv()
	took := time.Since(began)
	if err == nil && len(answer.Events) != 1 {
		err = fmt.Errorf("expected one event, not %v", answer)
	}
	return took, errors.Join(err, <-answered)
}
