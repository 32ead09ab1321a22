package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// keepAlive renews a lease through the client's background stream, and sees it end when it is revoked.
func keepAlive(ctx context.Context, client *clientv3.Client, prefix string) error {
	granted, err := client.Grant(ctx, 3)
	if err != nil {
		return err
	}
	alive, err := client.KeepAlive(ctx, granted.ID)
	if err != nil {
		return err
	}
	for range 2 {
		if renewed := <-alive; renewed == nil || renewed.TTL != 3 {
			return fmt.Errorf("renewed: %v", renewed)
		}
	}
	if _, err := client.Put(ctx, prefix+"a", "1", clientv3.WithLease(granted.ID)); err != nil {
		return err
	}
	if _, err := client.Revoke(ctx, granted.ID); err != nil {
		return err
	}
	if _, err := client.KeepAliveOnce(ctx, granted.ID); !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("renewal of a revoked lease: %v", err)
	}
	for range alive {
		continue // the channel closes once the client has learnt of it
	}
	return nil
}

// watchOptions follows a prefix through history, filters and a compaction, on one client.
func watchOptions(ctx context.Context, client *clientv3.Client, prefix string) error {
	first, err := client.Put(ctx, prefix+"a", "1")
	if err != nil {
		return err
	}
	if _, err := client.Put(ctx, prefix+"a", "2"); err != nil {
		return err
	}
	deleted, err := client.Delete(ctx, prefix+"a")
	if err != nil {
		return err
	}
	from := first.Header.Revision
	watching := client.Watch(
		ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(from), clientv3.WithPrevKV(), clientv3.WithFilterPut(),
	)
	event := (<-watching).Events[0]
	if err := expect("value deleted", string(event.PrevKv.Value), "2"); err != nil {
		return err
	}
	if _, err := client.Compact(ctx, deleted.Header.Revision, clientv3.WithCompactPhysical()); err != nil {
		return err
	}
	late := <-client.Watch(ctx, prefix+"a", clientv3.WithRev(from))
	if err := expect("error of a late watch", late.Err(), error(rpctypes.ErrCompacted)); err != nil {
		return err
	}
	return expect("compacted at", late.CompactRevision, deleted.Header.Revision)
}

// maintenance asks what dashboards and backup tools ask.
func maintenance(ctx context.Context, client *clientv3.Client, prefix string) error {
	if _, err := client.Put(ctx, prefix+"a", "1"); err != nil {
		return err
	}
	endpoint := client.Endpoints()[0]
	status, err := client.Status(ctx, endpoint)
	if err != nil {
		return err
	}
	if err := expect("leader", status.Leader, status.Header.MemberId); err != nil {
		return err
	}
	if _, err := client.HashKV(ctx, endpoint, 0); err != nil {
		return err
	}
	if _, err := client.Defragment(ctx, endpoint); err != nil {
		return err
	}
	snapshot, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	var copied bytes.Buffer
	if _, err := io.Copy(&copied, snapshot); err != nil {
		return err
	}
	return expect("bytes after the last whole sector", copied.Len()%512, 32)
}
