// Command clientv3 plays scenarios of etcd's own Go client library against a server: its locks, elections,
// software transactions, leasing cache, mirror and Kubernetes interface, which are built of plain requests and
// fail when any of them is answered differently from etcd.
//
//	clientv3 ENDPOINT PREFIX SCENARIO
//
// It ends with 0 if the scenario went as on etcd, else with 1 and one line that says what did not.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const timeLimit = 30 * time.Second

type scenario func(ctx context.Context, client *clientv3.Client, prefix string) error

var scenarios = map[string]scenario{
	"mutex":       mutex,
	"election":    election,
	"stm":         stm,
	"leasing":     leasingCache,
	"mirror":      mirrorKeys,
	"namespace":   namespaced,
	"kubernetes":  kubernetesCalls,
	"keepalive":   keepAlive,
	"watch":       watchOptions,
	"maintenance": maintenance,
}

func main() {
	if len(os.Args) != 4 || scenarios[os.Args[3]] == nil {
		fail(fmt.Errorf("usage: clientv3 ENDPOINT PREFIX SCENARIO"))
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{os.Args[1]},
		DialTimeout: timeLimit,
		Logger:      zap.NewNop(),
	})
	if err != nil {
		fail(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	if err := scenarios[os.Args[3]](ctx, client, os.Args[2]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// expect returns an error that says what was seen, unless it is what was wanted.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}
