// Package testserver stands in for the one of the same name in k8s.io/apiserver: Kubernetes' own storage
// tests then run on a server given by the environment, a new one with an empty store for each test.
//
// STORAGE_SERVER is its command line; {port} and {dir} in it are a free port and an empty directory.
package testserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/server/v3/embed"
	"google.golang.org/grpc"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
)

const startTime = 30 * time.Second

// NewTestConfig returns a configuration whose settings RunEtcd hands on to the server as flags.
func NewTestConfig(t testing.TB) *embed.Config {
	t.Helper()
	return embed.NewConfig()
}

// RunEtcd starts a server for one test and returns a client of it.
func RunEtcd(t testing.TB, config *embed.Config) *kubernetes.Client {
	t.Helper()
	if config == nil {
		config = NewTestConfig(t)
	}
	address := start(t, flags(config))
	client, err := kubernetes.New(clientv3.Config{
		Endpoints:   []string{"http://" + address},
		DialTimeout: startTime,
		DialOptions: []grpc.DialOption{grpc.WithBlock()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	client.KV = storagetesting.NewKVRecorder(client.KV)
	client.Kubernetes = storagetesting.NewKubernetesRecorder(client.Kubernetes)
	return client
}

func flags(config *embed.Config) []string {
	if config.WatchProgressNotifyInterval == embed.NewConfig().WatchProgressNotifyInterval {
		return nil
	}
	return []string{fmt.Sprintf("--watch-progress-notify-interval=%s", config.WatchProgressNotifyInterval)}
}

func start(t testing.TB, flags []string) string {
	t.Helper()
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	line := strings.NewReplacer("{port}", port, "{dir}", t.TempDir()).Replace(os.Getenv("STORAGE_SERVER"))
	words := append(strings.Fields(line), flags...)
	if len(words) == len(flags) {
		t.Fatal("STORAGE_SERVER is not set: give the command line of the server to test")
	}
	server := exec.Command(words[0], words[1:]...)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	return address
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
