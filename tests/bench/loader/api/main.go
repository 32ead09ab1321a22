// Command loader puts one kind of load on a Kubernetes API server over TLS with a client certificate, and prints what
// it saw as one line of JSON: operations, seconds, latencies in milliseconds, and CPU seconds.
//
// It is run by tests/bench/api. Any answer that is not a success ends it with exit code 1 and the reason on stderr.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"tapir/tests/bench/loader/load"
)

// settings are the flags: what is done, how hard, for how long.
type settings struct {
	load.Plan
	url        string
	ca         string
	cert       string
	key        string
	path       string
	inFlight   int
	count      int
	podBytes   int
	rounds     int
	namePrefix string
	name       string
}

// works is what the loader can do.
var works = map[string]func(context.Context, *settings) (*load.Report, error){
	"create": createPods,
	"fill":   fillPods,
	"get":    gets,
	"watch":  fanOut,
}

func main() {
	s := parse()
	work, known := works[s.Work]
	if !known {
		fail(fmt.Errorf("no work %q: choose create, fill, get or watch", s.Work))
	}
	found, err := work(context.Background(), s)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "loader:", err)
	os.Exit(1)
}

func parse() *settings {
	s := &settings{}
	s.Flags("get", "create, fill, get or watch")
	flag.StringVar(&s.url, "url", "", "https://host:port of the server")
	flag.StringVar(&s.ca, "ca", "", "file of the authority that the server is checked with")
	flag.StringVar(&s.cert, "cert", "", "file of the client's certificate")
	flag.StringVar(&s.key, "key", "", "file of its key")
	flag.StringVar(&s.path, "path", "/", "what is read, or the collection that is written to or watched")
	flag.IntVar(&s.inFlight, "in-flight", 64, "requests under way at any time, each on a connection of its own")
	flag.IntVar(&s.count, "count", 1000, "fill: pods; watch: watchers")
	flag.IntVar(&s.podBytes, "pod-bytes", 0, "create, fill: bytes of annotations that a pod has beside what it needs")
	flag.IntVar(&s.rounds, "rounds", 20, "watch: updates")
	flag.StringVar(&s.namePrefix, "name-prefix", "pod", "create, fill: what names begin with")
	flag.StringVar(&s.name, "name", "", "watch: the pod that is changed")
	flag.Parse()
	return s
}
