package load

import (
	"context"
	"sync"
	"time"
)

// Caller makes one request.
type Caller func(ctx context.Context) error

// ClosedLoop keeps every caller busy for the warm-up and the measured time; the first error ends it.
func ClosedLoop(ctx context.Context, plan Plan, callers []Caller) (*Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	samples := make([][]Sample, len(callers))
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for i, each := range callers {
		busy.Go(func() {
			seen, err := KeepCalling(ctx, each, stop)
			samples[i] = seen
			if err != nil {
				cancel(err)
			}
		})
	}
	m := StartAfterWarmUp(plan)
	m.Wait(ctx)
	close(stop)
	busy.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	took := m.Within(samples)
	return m.Report(len(took), took), nil
}

// Sample is one operation: when it ended and how long it took.
type Sample struct {
	Ended time.Time
	Took  time.Duration
}

// KeepCalling calls until it is told to stop, and returns what it did.
func KeepCalling(ctx context.Context, c Caller, stop <-chan struct{}) ([]Sample, error) {
	seen := make([]Sample, 0, 1<<14)
	began := time.Now()
	for {
		select {
		case <-stop:
			return seen, nil
		case <-ctx.Done():
			return seen, nil
		default:
		}
		if err := c(ctx); err != nil {
			return seen, err
		}
		now := time.Now()
		seen = append(seen, Sample{now, now.Sub(began)})
		began = now
	}
}

// Within returns how long the operations took that ended in the measured time.
func (m *Meter) Within(samples [][]Sample) []time.Duration {
	var took []time.Duration
	for _, seen := range samples {
		for _, one := range seen {
			if one.Ended.After(m.Began) && !one.Ended.After(m.Ends) {
				took = append(took, one.Took)
			}
		}
	}
	return took
}
