"""What has become of the requests of one FlowSchema at one priority level, for metrics."""

from control_plane.apiserver.metrics.histogram import Histogram

# Why a request was turned away, as upstream's metrics name it.
QUEUE_FULL = "queue-full"
CONCURRENCY_LIMIT = "concurrency-limit"
TIMED_OUT = "time-out"
CANCELLED = "cancelled"
REASONS = (QUEUE_FULL, CONCURRENCY_LIMIT, TIMED_OUT, CANCELLED)
SECONDS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


class FlowCounts:
    """`waits` and `lost_waits` are of requests that were served and of those that were not."""

    __slots__ = ("dispatched", "executions", "lost_waits", "rejected", "waits", "watch_executions")

    def __init__(self) -> None:
        """Nothing has been counted yet."""
        self.dispatched = 0
        self.rejected = dict.fromkeys(REASONS, 0)
        self.waits = Histogram(SECONDS)
        self.lost_waits = Histogram(SECONDS)
        self.executions = Histogram(SECONDS)
        self.watch_executions = Histogram(SECONDS)
