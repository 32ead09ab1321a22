package main

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/client/v3/leasing"
	"go.etcd.io/etcd/client/v3/mirror"
	"go.etcd.io/etcd/client/v3/namespace"
)

// leasingCache lets two caching clients read and write one key: none reads a stale value.
func leasingCache(ctx context.Context, client *clientv3.Client, prefix string) error {
	one, closeOne, err := leasing.NewKV(client, prefix+"leases/")
	if err != nil {
		return err
	}
	defer closeOne()
	two, closeTwo, err := leasing.NewKV(client, prefix+"leases/")
	if err != nil {
		return err
	}
	defer closeTwo()
	key := prefix + "key"
	for turn := range 5 {
		value := fmt.Sprint(turn)
		writer, reader := one, two
		if turn%2 == 1 {
			writer, reader = two, one
		}
		if _, err := writer.Put(ctx, key, value); err != nil {
			return err
		}
		found, err := reader.Get(ctx, key)
		if err != nil {
			return err
		}
		if err := expect("value read", string(found.Kvs[0].Value), value); err != nil {
			return err
		}
	}
	_, err = one.Delete(ctx, key)
	return err
}

// mirrorKeys copies more than a page of keys and follows what comes after.
func mirrorKeys(ctx context.Context, client *clientv3.Client, prefix string) error {
	const keys, together = 1200, 100
	for first := 0; first < keys; first += together {
		puts := make([]clientv3.Op, together)
		for number := range puts {
			puts[number] = clientv3.OpPut(fmt.Sprintf("%s%06d", prefix, first+number), "v")
		}
		if _, err := client.Txn(ctx).Then(puts...).Commit(); err != nil {
			return err
		}
	}
	syncer := mirror.NewSyncer(client, prefix, 0)
	pages, failures := syncer.SyncBase(ctx)
	copied := 0
	for page := range pages {
		copied += len(page.Kvs)
	}
	if err := <-failures; err != nil {
		return err
	}
	if err := expect("keys copied", copied, keys); err != nil {
		return err
	}
	updates := syncer.SyncUpdates(ctx)
	if _, err := client.Put(ctx, prefix+"later", "v"); err != nil {
		return err
	}
	update := <-updates
	if err := update.Err(); err != nil {
		return err
	}
	return expect("key followed", string(update.Events[0].Kv.Key), prefix+"later")
}

// namespaced writes, watches and deletes through a prefix that the caller does not see.
func namespaced(ctx context.Context, client *clientv3.Client, prefix string) error {
	kv := namespace.NewKV(client.KV, prefix)
	watching := namespace.NewWatcher(client.Watcher, prefix).Watch(ctx, "", clientv3.WithFromKey())
	put := clientv3.OpPut("a", "1")
	missing := clientv3.Compare(clientv3.CreateRevision("a"), "=", 0)
	done, err := kv.Txn(ctx).If(missing).Then(put, clientv3.OpGet("a")).Commit()
	if err != nil {
		return err
	}
	got := string(done.Responses[1].GetResponseRange().Kvs[0].Key)
	if err := expect("key in the Txn", got, "a"); err != nil {
		return err
	}
	event := <-watching
	if err := expect("key of the event", string(event.Events[0].Kv.Key), "a"); err != nil {
		return err
	}
	deleted, err := kv.Delete(ctx, "", clientv3.WithPrefix())
	if err != nil {
		return err
	}
	return expect("keys deleted", deleted.Deleted, 1)
}

// kubernetesCalls plays what a Kubernetes API server asks through the client's interface for it.
func kubernetesCalls(ctx context.Context, client *clientv3.Client, prefix string) error {
	kube := kubernetes.Client{Client: client}
	kube.Kubernetes = &kube
	key := prefix + "pods/a"
	created, err := kube.OptimisticPut(ctx, key, []byte("1"), 0, kubernetes.PutOptions{})
	if err != nil {
		return err
	}
	if err := expect("created", created.Succeeded, true); err != nil {
		return err
	}
	refused, err := kube.OptimisticPut(ctx, key, []byte("2"), 0, kubernetes.PutOptions{GetOnFailure: true})
	if err != nil {
		return err
	}
	if err := expect("revision found", refused.KV.ModRevision, created.Revision); err != nil {
		return err
	}
	listed, err := kube.List(ctx, prefix+"pods/", kubernetes.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	if err := expect("listed", listed.Count, 1); err != nil {
		return err
	}
	counted, err := kube.Count(ctx, prefix+"pods/", kubernetes.CountOptions{})
	if err != nil {
		return err
	}
	if err := expect("counted", counted, 1); err != nil {
		return err
	}
	deleted, err := kube.OptimisticDelete(ctx, key, created.Revision, kubernetes.DeleteOptions{})
	if err != nil {
		return err
	}
	return expect("deleted", deleted.Succeeded, true)
}
