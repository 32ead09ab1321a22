// Command oracle is etcd itself, built from its published Go module, for the contract tests to be judged by.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
