package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"time"

	"tapir/tests/bench/loader/load"
)

const (
	longestLine = 1 << 20
	patience    = 30 * time.Second
)

// fanOut opens watches of the pods of a collection, each on a connection of its own, and patches one pod over and
// over: an operation is one event that reached one watcher, its latency counts from before the patch was sent.
func fanOut(ctx context.Context, s *settings) (*load.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := newAPI(s, s.count+1)
	if err != nil {
		return nil, err
	}
	seen, broken := make(chan time.Time, s.count), make(chan error, s.count)
	for range s.count {
		if err := client.watch(ctx, s.path, seen, broken); err != nil {
			return nil, err
		}
	}
	time.Sleep(load.Duration(s.WarmUp))
	var took []time.Duration
	m := load.Start(s.Plan)
	for round := range s.rounds {
		began := time.Now()
		if err := client.touch(ctx, s, round); err != nil {
			return nil, err
		}
		for range s.count {
			select {
			case at := <-seen:
				took = append(took, at.Sub(began))
			case err := <-broken:
				return nil, err
			case <-time.After(patience):
				return nil, fmt.Errorf("round %d: %d of %d events came", round, len(took)%s.count, s.count)
			}
		}
		time.Sleep(load.Duration(s.Seconds / float64(s.rounds)))
	}
	m.Stop()
	return m.Report(len(took), took), nil
}

// watch opens a watch from now on, and tells `seen` when each event came.
func (a *api) watch(ctx context.Context, path string, seen chan<- time.Time, broken chan<- error) error {
	answer, err := a.open(ctx, "GET", path+"?watch=1&resourceVersion=0", "", nil)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(make([]byte, 4096), longestLine)
	if !lines.Scan() {
		return fmt.Errorf("a watch ended before its first event: %v", lines.Err())
	}
	go func() {
		defer answer.Body.Close()
		for lines.Scan() {
			if !bytes.HasPrefix(lines.Bytes(), []byte(`{"type":"MODIFIED"`)) {
				broken <- fmt.Errorf("a watcher got %.100s", lines.Bytes())
				return
			}
			seen <- time.Now()
		}
		if ctx.Err() == nil {
			broken <- fmt.Errorf("a watch ended: %v", lines.Err())
		}
	}()
	return nil
}

// touch changes the pod that is watched.
func (a *api) touch(ctx context.Context, s *settings, round int) error {
	patch := fmt.Appendf(nil, `[{"op":"add","path":"/metadata/labels/round","value":"%d"}]`, round)
	return a.do(ctx, "PATCH", s.path+"/"+s.name, patch)
}
