package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const contenders = 5

// mutex lets sessions contend for a lock: at most one holds it, TryLock is refused, an orphan's lock passes on.
func mutex(ctx context.Context, client *clientv3.Client, prefix string) error {
	var group sync.WaitGroup
	var inside, most int
	var guard sync.Mutex
	failures := make(chan error, contenders)
	for range contenders {
		group.Go(func() {
			failures <- locked(ctx, client, prefix, func() {
				guard.Lock()
				inside++
				most = max(most, inside)
				guard.Unlock()
				client.Get(ctx, prefix) // time for another to come in wrongly
				guard.Lock()
				inside--
				guard.Unlock()
			})
		})
	}
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return err
		}
	}
	if err := expect("holders at once", most, 1); err != nil {
		return err
	}
	return tryLock(ctx, client, prefix)
}

func locked(ctx context.Context, client *clientv3.Client, prefix string, critical func()) error {
	session, err := concurrency.NewSession(client)
	if err != nil {
		return err
	}
	defer session.Close()
	mutex := concurrency.NewMutex(session, prefix)
	if err := mutex.Lock(ctx); err != nil {
		return err
	}
	critical()
	return mutex.Unlock(ctx)
}

func tryLock(ctx context.Context, client *clientv3.Client, prefix string) error {
	holder, err := concurrency.NewSession(client)
	if err != nil {
		return err
	}
	other, err := concurrency.NewSession(client)
	if err != nil {
		return err
	}
	defer other.Close()
	if err := concurrency.NewMutex(holder, prefix).TryLock(ctx); err != nil {
		return err
	}
	mutex := concurrency.NewMutex(other, prefix)
	if err := mutex.TryLock(ctx); !errors.Is(err, concurrency.ErrLocked) {
		return fmt.Errorf("TryLock of a held lock: %v", err)
	}
	if err := holder.Close(); err != nil { // revokes the lease, and with it the lock
		return err
	}
	return mutex.Lock(ctx)
}

// election lets a second candidate win when the first resigns, and an observer see both.
func election(ctx context.Context, client *clientv3.Client, prefix string) error {
	first, err := concurrency.NewSession(client)
	if err != nil {
		return err
	}
	defer first.Close()
	second, err := concurrency.NewSession(client)
	if err != nil {
		return err
	}
	defer second.Close()
	one, two := concurrency.NewElection(first, prefix), concurrency.NewElection(second, prefix)
	if _, err := one.Leader(ctx); !errors.Is(err, concurrency.ErrElectionNoLeader) {
		return fmt.Errorf("Leader of nobody: %v", err)
	}
	if err := one.Campaign(ctx, "one"); err != nil {
		return err
	}
	seen := two.Observe(ctx)
	won := make(chan error, 1)
	go func() { won <- two.Campaign(ctx, "two") }()
	if err := one.Proclaim(ctx, "one again"); err != nil {
		return err
	}
	if err := one.Resign(ctx); err != nil {
		return err
	}
	if err := <-won; err != nil {
		return err
	}
	for response := range seen {
		if string(response.Kvs[0].Value) == "two" {
			return nil
		}
	}
	return errors.New("the observer did not see the second leader")
}

// stm moves amounts between accounts from several goroutines: the sum stays.
func stm(ctx context.Context, client *clientv3.Client, prefix string) error {
	const accounts, transfers = 4, 10
	key := func(number int) string { return prefix + strconv.Itoa(number%accounts) }
	for number := range accounts {
		if _, err := client.Put(ctx, key(number), "100"); err != nil {
			return err
		}
	}
	levels := []concurrency.Isolation{
		concurrency.SerializableSnapshot, concurrency.Serializable, concurrency.RepeatableReads,
	}
	failures := make(chan error, len(levels))
	for worker, level := range levels {
		go func() {
			for turn := range transfers {
				apply := func(s concurrency.STM) error { return move(s, key(turn+worker), key(turn+2*worker+1)) }
				if _, err := concurrency.NewSTM(client, apply, concurrency.WithIsolation(level)); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range levels {
		if err := <-failures; err != nil {
			return err
		}
	}
	sum := 0
	found, err := client.Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, kv := range found.Kvs {
		amount, _ := strconv.Atoi(string(kv.Value))
		sum += amount
	}
	return expect("sum of the accounts", sum, 100*accounts)
}

func move(s concurrency.STM, from, to string) error {
	if from == to {
		return nil
	}
	source, _ := strconv.Atoi(s.Get(from))
	target, _ := strconv.Atoi(s.Get(to))
	s.Put(from, strconv.Itoa(source-1))
	s.Put(to, strconv.Itoa(target+1))
	return nil
}
