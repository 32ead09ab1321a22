package main

import (
	"context"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

// updater does to keys of its own what kube-apiserver does to an object: put it if its revision is still the one that
// was read, else read it.
type updater struct {
	*settings
	kv        pb.KVClient
	value     []byte
	owned     []owned
	next      int
	conflicts int
}

// owned is a key that only one updater writes, and the revision at which it did.
type owned struct {
	key      []byte
	revision int64
}

func txns(ctx context.Context, s *settings, connections []*grpc.ClientConn) (*load.Report, error) {
	found, err := pb.NewKVClient(connections[0]).Range(ctx, &pb.RangeRequest{
		Key: []byte(s.prefix), RangeEnd: s.end(), KeysOnly: true,
	})
	if err != nil {
		return nil, err
	}
	if len(found.Kvs) != s.keys {
		return nil, fmt.Errorf("%d keys under %s, expected %d: fill the store first", len(found.Kvs), s.prefix, s.keys)
	}
	updaters := make([]*updater, s.inFlight)
	callers := callersOf(s, connections, func(kv pb.KVClient, i int) caller {
		updaters[i] = &updater{settings: s, kv: kv, value: s.value()}
		return updaters[i]
	})
	for i, kv := range found.Kvs {
		u := updaters[i%len(updaters)]
		u.owned = append(u.owned, owned{kv.Key, kv.ModRevision})
	}
	report, err := load.ClosedLoop(ctx, s.Plan, callers)
	if err == nil {
		for _, u := range updaters {
			report.Conflicts += u.conflicts
		}
	}
	return report, err
}

func (u *updater) call(ctx context.Context) error {
	mine := &u.owned[u.next]
	u.next = (u.next + 1) % len(u.owned)
	answer, err := u.kv.Txn(ctx, update(mine, u.value))
	if err != nil {
		return err
	}
	mine.revision = answer.Header.Revision
	if !answer.Succeeded {
		u.conflicts++
		mine.revision = answer.Responses[0].GetResponseRange().Kvs[0].ModRevision
	}
	return nil
}

func update(mine *owned, value []byte) *pb.TxnRequest {
	return &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key:         mine.key,
			Target:      pb.Compare_MOD,
			Result:      pb.Compare_EQUAL,
			TargetUnion: &pb.Compare_ModRevision{ModRevision: mine.revision},
		}},
		Success: []*pb.RequestOp{putOp(mine.key, value)},
		Failure: []*pb.RequestOp{{
			Request: &pb.RequestOp_RequestRange{RequestRange: &pb.RangeRequest{Key: mine.key}},
		}},
	}
}

func putOp(key, value []byte) *pb.RequestOp {
	return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: key, Value: value}}}
}
