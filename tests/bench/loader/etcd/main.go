// Command loader puts one kind of load on an etcd endpoint, with etcd's own client module, and prints what it saw as
// one line of JSON: operations, seconds, latencies in milliseconds, and the CPU seconds that it and the server used.
//
// It is run by tests/bench. Any request that fails ends it with exit code 1 and the reason on stderr.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"tapir/tests/bench/loader/load"
)

// settings are the flags: what is done, how hard, for how long.
type settings struct {
	load.Plan
	endpoint    string
	connections int
	inFlight    int
	prefix      string
	keys        int
	valueBytes  int
	rounds      int
	limit       int64
	pages       int
	revision    int64
	watchers    int
	leases      int
	ttl         int64
}

// works is what the loader can do.
var works = map[string]func(context.Context, *settings, []*grpc.ClientConn) (*load.Report, error){
	"fill":      fill,
	"put":       puts,
	"txn":       txns,
	"range":     ranges,
	"page":      pages,
	"watch":     fanOut,
	"latency":   putToEvent,
	"keepalive": keepAlive,
}

func main() {
	found, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
}

func run() (*load.Report, error) {
	s := parse()
	work, known := works[s.Work]
	if !known {
		return nil, fmt.Errorf("no work %q: choose one of %s", s.Work, strings.Join(workNames(), ", "))
	}
	connections := make([]*grpc.ClientConn, s.connections)
	for i := range connections {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{s.endpoint}, DialTimeout: 10 * time.Second})
		if err != nil {
			return nil, err
		}
		defer client.Close()
		connections[i] = client.ActiveConnection()
	}
	return work(context.Background(), s, connections)
}

func parse() *settings {
	s := &settings{}
	s.Flags("put", strings.Join(workNames(), ", "))
	flag.StringVar(&s.endpoint, "endpoint", "127.0.0.1:2379", "host:port of the server")
	flag.IntVar(&s.connections, "connections", 1, "TCP connections that the callers share evenly")
	flag.IntVar(&s.inFlight, "in-flight", 4, "requests under way at any time")
	flag.StringVar(&s.prefix, "prefix", "/registry/bench/", "what every key begins with")
	flag.IntVar(&s.keys, "keys", 10_000, "distinct keys")
	flag.IntVar(&s.valueBytes, "value-bytes", 256, "size of a value")
	flag.IntVar(&s.rounds, "rounds", 1, "fill: how often each key is written")
	flag.Int64Var(&s.limit, "limit", 500, "page: keys in one page")
	flag.IntVar(&s.pages, "pages", 0, "page: how many of them before it begins anew (0: to the end of the prefix)")
	flag.Int64Var(&s.revision, "revision", 0, "page: as of this revision (0: as of that of the first page)")
	flag.IntVar(&s.watchers, "watchers", 100, "watch: watches of the prefix")
	flag.IntVar(&s.leases, "leases", 100_000, "keepalive: leases")
	flag.Int64Var(&s.ttl, "ttl", 60, "keepalive: time to live of a lease in seconds")
	flag.Parse()
	return s
}

func workNames() []string {
	return []string{"fill", "keepalive", "latency", "page", "put", "range", "txn", "watch"}
}

// key returns the key with a number; numbers have a fixed width, so that their order is the keys'.
func (s *settings) key(number int) []byte {
	return fmt.Appendf(nil, "%s%08d", s.prefix, number)
}

// end returns the end of the range of keys under the prefix.
func (s *settings) end() []byte {
	return []byte(clientv3.GetPrefixRangeEnd(s.prefix))
}

// value returns a value that says nothing.
func (s *settings) value() []byte {
	return slices.Repeat([]byte{'v'}, s.valueBytes)
}
