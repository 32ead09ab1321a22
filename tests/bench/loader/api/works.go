package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"tapir/tests/bench/loader/load"
)

// gets reads one path over and over.
func gets(ctx context.Context, s *settings) (*load.Report, error) {
	client, err := newAPI(s, s.inFlight)
	if err != nil {
		return nil, err
	}
	return s.closedLoop(ctx, func(ctx context.Context) error {
		return client.do(ctx, "GET", s.path, nil)
	})
}

// createPods creates pods, each with a name of its own.
func createPods(ctx context.Context, s *settings) (*load.Report, error) {
	client, err := newAPI(s, s.inFlight)
	if err != nil {
		return nil, err
	}
	var made atomic.Int64
	return s.closedLoop(ctx, func(ctx context.Context) error {
		return client.do(ctx, "POST", s.path, s.pod(int(made.Add(1))))
	})
}

// fillPods creates so many pods, and reports how long that took.
func fillPods(ctx context.Context, s *settings) (*load.Report, error) {
	client, err := newAPI(s, s.inFlight)
	if err != nil {
		return nil, err
	}
	var made atomic.Int64
	m := load.Start(s.Plan)
	err = all(ctx, s.inFlight, func(ctx context.Context) error {
		for number := made.Add(1); number <= int64(s.count); number = made.Add(1) {
			if err := client.do(ctx, "POST", s.path, s.pod(int(number))); err != nil {
				return err
			}
		}
		return nil
	})
	m.Stop()
	return m.Report(s.count, nil), err
}

// closedLoop keeps as many callers busy as requests are to be under way.
func (s *settings) closedLoop(ctx context.Context, call load.Caller) (*load.Report, error) {
	return load.ClosedLoop(ctx, s.Plan, slices.Repeat([]load.Caller{call}, s.inFlight))
}

// pod returns a pod as a deployment's are, with so many bytes of annotations more.
func (s *settings) pod(number int) []byte {
	padding := ""
	if s.podBytes > 0 {
		padding = fmt.Sprintf(`,"annotations":{"bench/padding":"%s"}`, strings.Repeat("x", s.podBytes))
	}
	return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s-%07d",`+
		`"labels":{"app":"bench","pod-template-hash":"5d59d67564"}%s},`+
		`"spec":{"containers":[{"name":"main","image":"registry.example/bench:1.0","command":["serve","--port=8080"],`+
		`"env":[{"name":"STAGE","value":"bench"},{"name":"POD_IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}],`+
		`"ports":[{"name":"http","containerPort":8080}],`+
		`"resources":{"requests":{"cpu":"100m","memory":"64Mi"},"limits":{"memory":"128Mi"}},`+
		`"readinessProbe":{"httpGet":{"path":"/ready","port":"http"}}}],`+
		`"tolerations":[{"key":"dedicated","operator":"Exists","effect":"NoSchedule"}]}}`, s.namePrefix, number, padding)
}

// all runs so many of the same at once; the first error cancels the others, and is returned.
func all(ctx context.Context, number int, run func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var busy sync.WaitGroup
	for range number {
		busy.Go(func() {
			if err := run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	busy.Wait()
	return context.Cause(ctx)
}
