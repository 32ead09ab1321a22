package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

// caller makes one request at a time, until it is told to stop.
type caller interface {
	call(ctx context.Context) error
}

// callersOf makes one caller for each request in flight, on connections in turn.
func callersOf(s *settings, connections []*grpc.ClientConn, make func(pb.KVClient, int) caller) []load.Caller {
	callers := []load.Caller{}
	for i := range s.inFlight {
		callers = append(callers, make(pb.NewKVClient(connections[i%len(connections)]), i).call)
	}
	return callers
}

// putter overwrites random keys.
type putter struct {
	*settings
	kv    pb.KVClient
	value []byte
}

func puts(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	value := s.value()
	return load.ClosedLoop(ctx, s.Plan, callersOf(s, connections, func(kv pb.KVClient, _ int) caller {
		return &putter{s, kv, value}
	}))
}

func (p *putter) call(ctx context.Context) error {
	_, err := p.kv.Put(ctx, &pb.PutRequest{Key: p.key(rand.IntN(p.keys)), Value: p.value})
	return err
}

// getter reads random keys, which must be there.
type getter struct {
	*settings
	kv pb.KVClient
}

func ranges(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	return load.ClosedLoop(ctx, s.Plan, callersOf(s, connections, func(kv pb.KVClient, _ int) caller {
		return &getter{s, kv}
	}))
}

func (g *getter) call(ctx context.Context) error {
	key := g.key(rand.IntN(g.keys))
	answer, err := g.kv.Range(ctx, &pb.RangeRequest{Key: key})
	if err == nil && len(answer.Kvs) != 1 {
		return fmt.Errorf("%s: fill the store first", key)
	}
	return err
}

// lister walks the prefix page by page: the first page as it is now, the others as of that revision. It is how
// kube-apiserver lists; etcd counts what remains of the prefix for each page.
type lister struct {
	*settings
	kv     pb.KVClient
	from   []byte
	pinned int64
	left   int64
	number int
}

func pages(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	return load.ClosedLoop(ctx, s.Plan, callersOf(s, connections, func(kv pb.KVClient, _ int) caller {
		return &lister{settings: s, kv: kv}
	}))
}

func (l *lister) call(ctx context.Context) error {
	if l.from == nil {
		l.from, l.pinned, l.left, l.number = []byte(l.prefix), l.revision, int64(l.keys), 0
	}
	answer, err := l.kv.Range(ctx, &pb.RangeRequest{
		Key: l.from, RangeEnd: l.end(), Limit: l.limit, Revision: l.pinned,
	})
	if err != nil {
		return err
	}
	if answer.Count != l.left || int64(len(answer.Kvs)) != min(l.limit, l.left) {
		return fmt.Errorf("page from %q: %d keys of %d, expected %d of %d", l.from, len(answer.Kvs), answer.Count,
			min(l.limit, l.left), l.left)
	}
	if l.pinned == 0 {
		l.pinned = answer.Header.Revision
	}
	l.left -= int64(len(answer.Kvs))
	l.from = append(answer.Kvs[len(answer.Kvs)-1].Key, 0)
	l.number++
	if !answer.More || l.number == l.pages {
		l.from = nil
	}
	return nil
}
