// Runs the parts of cert-manager that `make cert-manager` watches, out of its published module: the
// controller, the webhook or the cainjector, each until it is signalled. It also prints what the
// chart installs. The module's name lies under cert-manager's, whose internal packages it needs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

const (
	namespace       = "cert-manager"
	leaderNamespace = "kube-system" // the chart's choice, which its roles allow
	verbosity       = "2"
)

// How each part is started, and the words that it takes.
var parts = map[string]struct {
	words string
	run   func(ctx context.Context, words []string) error
}{
	"controller": {"KUBECONFIG", func(ctx context.Context, words []string) error { return runController(ctx, words[0]) }},
	"cainjector": {"KUBECONFIG", func(ctx context.Context, words []string) error { return runInjector(ctx, words[0]) }},
	"webhook":    {"KUBECONFIG PORT", func(ctx context.Context, words []string) error { return runWebhook(ctx, words[0], words[1]) }},
	"chart":      {"DIRECTORY TEMPLATE...", func(_ context.Context, words []string) error { return printChart(words[0], words[1:]) }},
}

func main() {
	if len(os.Args) < 3 {
		usage()
	}
	part, known := parts[os.Args[1]]
	if !known {
		usage()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := part.run(logged(ctx, os.Args[1]), os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func usage() {
	for name, part := range parts {
		fmt.Fprintf(os.Stderr, "usage: %s %s\n", name, part.words)
	}
	os.Exit(2)
}

// Both libraries of the parts log through klog, to stderr.
func logged(ctx context.Context, name string) context.Context {
	logf.InitLogs()
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	_ = flags.Set("v", verbosity)
	ctrl.SetLogger(klog.Background())
	return logf.NewContext(ctx, klog.Background(), name)
}
