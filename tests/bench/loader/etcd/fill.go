package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

const keysPerTxn = 100 // etcd allows 128 operations

// fill writes every key, once a round, many to a transaction. An operation of its report is a transaction.
func fill(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m := load.Start(s.Plan)
	total, value := s.keys*s.rounds, s.value()
	latencies := make([]time.Duration, (total+keysPerTxn-1)/keysPerTxn)
	var next atomic.Int64
	var busy sync.WaitGroup
	for i := range s.inFlight {
		kv := pb.NewKVClient(connections[i%len(connections)])
		busy.Go(func() {
			for number := int(next.Add(1)) - 1; number < len(latencies); number = int(next.Add(1)) - 1 {
				began := time.Now()
				first := number * keysPerTxn
				if err := fillSome(ctx, s, kv, first, min(first+keysPerTxn, total), value); err != nil {
					cancel(err)
					return
				}
				latencies[number] = time.Since(began)
			}
		})
	}
	busy.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m.Stop()
	return m.Report(len(latencies), latencies), nil
}

func fillSome(ctx context.Context, s *settings, kv pb.KVClient, first, end int, value []byte) error {
	txn := &pb.TxnRequest{}
	seen := map[int]bool{}
	for number := first; number < end; number++ {
		if key := number % s.keys; !seen[key] { // a transaction may write a key once
			seen[key] = true
			txn.Success = append(txn.Success, putOp(s.key(key), value))
		}
	}
	_, err := kv.Txn(ctx, txn)
	return err
}
