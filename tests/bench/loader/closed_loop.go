package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

const ticksPerSecond = 100 // of /proc, on every Linux that Go runs on

// report is what a run saw. Operations are counted when they end within the measured time.
type report struct {
	Work             string  `json:"work"`
	Ops              int     `json:"ops"`
	Seconds          float64 `json:"seconds"`
	PerSecond        float64 `json:"per_second"`
	P50              float64 `json:"p50_ms"`
	P99              float64 `json:"p99_ms"`
	CPUSeconds       float64 `json:"cpu_seconds"`
	ServerCPUSeconds float64 `json:"server_cpu_seconds"`
	Conflicts        int     `json:"conflicts"`
}

// caller makes one request at a time, until it is told to stop.
type caller interface {
	call(ctx context.Context) error
}

// meter tells which operations fall into the measured time, and what that time cost.
type meter struct {
	*settings
	began, ends    time.Time
	cpu, serverCPU float64 // at the begin; from stop on, what was used since
	seconds        float64
}

// startMeter begins to measure.
func startMeter(s *settings) *meter {
	now := time.Now()
	return &meter{settings: s, began: now, ends: now.Add(duration(s.seconds)), cpu: cpuSeconds(), serverCPU: processCPU(s.serverPID)}
}

// startAfterWarmUp begins to measure when the warm-up has passed.
func startAfterWarmUp(s *settings) *meter {
	time.Sleep(duration(s.warmUp))
	return startMeter(s)
}

// wait returns when the measured time is over, or the context.
func (m *meter) wait(ctx context.Context) {
	select {
	case <-time.After(time.Until(m.ends)):
	case <-ctx.Done():
	}
	m.stop()
}

// stop ends the measured time.
func (m *meter) stop() {
	m.seconds = time.Since(m.began).Seconds()
	m.cpu, m.serverCPU = cpuSeconds()-m.cpu, processCPU(m.serverPID)-m.serverCPU
}

// report makes the report of so many operations and of latencies, which it sorts.
func (m *meter) report(ops int, latencies []time.Duration) *report {
	slices.Sort(latencies)
	return &report{
		Work:             m.work,
		Ops:              ops,
		Seconds:          m.seconds,
		PerSecond:        float64(ops) / m.seconds,
		P50:              milliseconds(quantile(latencies, 0.50)),
		P99:              milliseconds(quantile(latencies, 0.99)),
		CPUSeconds:       m.cpu,
		ServerCPUSeconds: m.serverCPU,
	}
}

// closedLoop keeps every caller busy for the warm-up and the measured time; the first error ends it.
func closedLoop(ctx context.Context, s *settings, callers []caller) (*report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	samples := make([][]sample, len(callers))
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for i, each := range callers {
		busy.Go(func() {
			seen, err := keepCalling(ctx, each, stop)
			samples[i] = seen
			if err != nil {
				cancel(err)
			}
		})
	}
	m := startAfterWarmUp(s)
	m.wait(ctx)
	close(stop)
	busy.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	took := m.within(samples)
	return m.report(len(took), took), nil
}

// sample is one operation: when it ended and how long it took.
type sample struct {
	ended time.Time
	took  time.Duration
}

func keepCalling(ctx context.Context, c caller, stop <-chan struct{}) ([]sample, error) {
	seen := make([]sample, 0, 1<<14)
	began := time.Now()
	for {
		select {
		case <-stop:
			return seen, nil
		case <-ctx.Done():
			return seen, nil
		default:
		}
		if err := c.call(ctx); err != nil {
			return seen, err
		}
		now := time.Now()
		seen = append(seen, sample{now, now.Sub(began)})
		began = now
	}
}

// within returns how long the operations took that ended in the measured time.
func (m *meter) within(samples [][]sample) []time.Duration {
	var took []time.Duration
	for _, seen := range samples {
		for _, one := range seen {
			if one.ended.After(m.began) && !one.ended.After(m.ends) {
				took = append(took, one.took)
			}
		}
	}
	return took
}

// callersOf makes one caller for each request in flight, on connections in turn.
func callersOf(s *settings, connections []*grpc.ClientConn, make func(pb.KVClient, int) caller) []caller {
	callers := []caller{}
	for i := range s.inFlight {
		callers = append(callers, make(pb.NewKVClient(connections[i%len(connections)]), i))
	}
	return callers
}

// quantile returns the value below which a share of the sorted values lie; 0 of none.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(share*float64(len(sorted)-1))]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// cpuSeconds returns the user and system time of this process.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// processCPU returns the user and system time of a process, 0 of none.
func processCPU(pid int) float64 {
	if pid == 0 {
		return 0
	}
	said, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything, so fields are counted after it.
	fields := strings.Fields(string(said[bytes.LastIndexByte(said, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) / ticksPerSecond
}
