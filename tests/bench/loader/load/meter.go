// Package load puts load on a server for a while and tells what was seen: rates, latencies, CPU time.
package load

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const ticksPerSecond = 100 // of /proc, on every Linux that Go runs on

// Plan is what every kind of load is told.
type Plan struct {
	Work      string
	ServerPID int // the server's process, whose CPU time is reported (0: none)
	Seconds   float64
	WarmUp    float64 // seconds of load before what is measured
}

// Flags lets the command line say the plan; `works` are what can be chosen, `work` is done unless one is.
func (p *Plan) Flags(work, works string) {
	flag.StringVar(&p.Work, "work", work, works)
	flag.IntVar(&p.ServerPID, "server-pid", 0, "the server's process, whose CPU time is reported (0: none)")
	flag.Float64Var(&p.Seconds, "seconds", 5, "how long to measure")
	flag.Float64Var(&p.WarmUp, "warm-up", 1, "seconds of load before that")
}

// Report is what a run saw. Operations are counted when they end within the measured time.
type Report struct {
	Work             string  `json:"work"`
	Ops              int     `json:"ops"`
	Seconds          float64 `json:"seconds"`
	PerSecond        float64 `json:"per_second"`
	P50              float64 `json:"p50_ms"`
	P99              float64 `json:"p99_ms"`
	Longest          float64 `json:"longest_ms"`
	CPUSeconds       float64 `json:"cpu_seconds"`
	ServerCPUSeconds float64 `json:"server_cpu_seconds"`
	Conflicts        int     `json:"conflicts"`
}

// Meter tells which operations fall into the measured time, and what that time cost.
type Meter struct {
	Plan
	Began, Ends    time.Time
	cpu, serverCPU float64 // at the begin; from Stop on, what was used since
	seconds        float64
}

// Start begins to measure.
func Start(plan Plan) *Meter {
	now := time.Now()
	return &Meter{Plan: plan, Began: now, Ends: now.Add(Duration(plan.Seconds)), cpu: cpuSeconds(), serverCPU: processCPU(plan.ServerPID)}
}

// StartAfterWarmUp begins to measure when the warm-up has passed.
func StartAfterWarmUp(plan Plan) *Meter {
	time.Sleep(Duration(plan.WarmUp))
	return Start(plan)
}

// Wait returns when the measured time is over, or the context.
func (m *Meter) Wait(ctx context.Context) {
	select {
	case <-time.After(time.Until(m.Ends)):
	case <-ctx.Done():
	}
	m.Stop()
}

// Stop ends the measured time.
func (m *Meter) Stop() {
	m.seconds = time.Since(m.Began).Seconds()
	m.cpu, m.serverCPU = cpuSeconds()-m.cpu, processCPU(m.ServerPID)-m.serverCPU
}

// Report makes the report of so many operations and of latencies, which it sorts.
func (m *Meter) Report(ops int, latencies []time.Duration) *Report {
	slices.Sort(latencies)
	return &Report{
		Work:             m.Work,
		Ops:              ops,
		Seconds:          m.seconds,
		PerSecond:        float64(ops) / m.seconds,
		P50:              quantile(latencies, 0.50),
		P99:              quantile(latencies, 0.99),
		Longest:          quantile(latencies, 1),
		CPUSeconds:       m.cpu,
		ServerCPUSeconds: m.serverCPU,
	}
}

// quantile returns in milliseconds the value below which a share of the sorted values lie; 0 of none.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(share*float64(len(sorted)-1))]) / float64(time.Millisecond)
}

// Duration returns so many seconds.
func Duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

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
