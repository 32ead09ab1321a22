// Uses an API server as Kubernetes' own components do: client-go's typed clients, its metadata
// client and its informers, all in protobuf. Every step that holds prints a line "ok STEP"; the
// first that does not ends the program. Arguments: a kubeconfig file and a namespace that is empty.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// counting is a transport that remembers what content types came back.
type counting struct {
	next  http.RoundTripper
	mutex sync.Mutex
	seen  map[string]int
}

func (c *counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err == nil {
		c.mutex.Lock()
		c.seen[response.Header.Get("Content-Type")]++
		c.mutex.Unlock()
	}
	return response, err
}

type session struct {
	context   context.Context
	config    *rest.Config
	clients   *kubernetes.Clientset
	namespace string
	answers   *counting
}

type step struct {
	name string
	run  func(*session) error
}

func main() {
	steps := slices.Concat(verbSteps, kindSteps, cacheSteps, documentSteps)
	limited, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	made, err := newSession(limited, os.Args[1], os.Args[2])
	for i := 0; err == nil && i < len(steps); i++ {
		if err = steps[i].run(made); err != nil {
			err = fmt.Errorf("%s: %w", steps[i].name, err)
		} else {
			fmt.Println("ok", steps[i].name)
		}
	}
	if err == nil {
		err = made.onlyProtobuf()
	}
	cancel()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func newSession(limited context.Context, kubeconfig, namespace string) (*session, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	answers := &counting{seen: map[string]int{}}
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf
	config.QPS, config.Burst = 1000, 1000
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		answers.next = next
		return answers
	})
	clients, err := kubernetes.NewForConfig(config)
	return &session{limited, config, clients, namespace, answers}, err
}

// onlyProtobuf holds when the server has answered in protobuf whatever it was asked for.
func (s *session) onlyProtobuf() error {
	s.answers.mutex.Lock()
	defer s.answers.mutex.Unlock()
	for kind, count := range s.answers.seen {
		if !strings.HasPrefix(kind, runtime.ContentTypeProtobuf) {
			return fmt.Errorf("%d answers in %q", count, kind)
		}
	}
	return nil
}

func expect(condition bool, format string, arguments ...any) error {
	if condition {
		return nil
	}
	return fmt.Errorf(format, arguments...)
}

func all(found ...error) error { return errors.Join(found...) }
