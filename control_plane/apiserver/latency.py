"""Where the time of one request goes, for the audit event of one that takes long.

The latencies of the request that is being served are in its context: whoever waits for something
adds to them, if there are any. Source: the latency trackers of apiserver v1.35.
"""

from contextvars import ContextVar
from decimal import Decimal

SLOW_SECONDS = 0.5
PREFIX = "apiserver.latency.k8s.io/"
_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))


class Latencies:
    """Seconds by what they were spent on, under upstream's names.

    The request has `begun` and is `answered` at these times of perf_counter; 0: not yet.
    """

    __slots__ = ("_seconds", "answered", "begun")

    def __init__(self, begun: float) -> None:
        """Nothing has been waited for yet."""
        self.begun, self.answered = begun, 0.0
        self._seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        """So long again; what is waited for one after the other adds up."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def reach(self, name: str, seconds: float) -> None:
        """So long at least; of what is waited for together the longest counts."""
        self._seconds[name] = max(self._seconds.get(name, 0.0), seconds)

    def annotations(self, ended: float) -> dict[str, str]:
        """What the event of a request that has `ended` then says of them; {} for a quick one."""
        total = ended - self.begun
        if total <= SLOW_SECONDS:
            return {}
        spent = {**self._seconds, "total": total}
        if self.answered:
            spent["response-write"] = ended - self.answered
        return {f"{PREFIX}{name}": go_duration(one) for name, one in spent.items() if one > 0}


CURRENT: ContextVar[Latencies | None] = ContextVar("latencies", default=None)


def add_latency(name: str, seconds: float) -> None:
    """Add to the latencies of the request that is being served, if it has any."""
    latencies = CURRENT.get()
    if latencies is not None:
        latencies.add(name, seconds)


def reach_latency(name: str, seconds: float) -> None:
    """As add_latency, for what is waited for together."""
    latencies = CURRENT.get()
    if latencies is not None:
        latencies.reach(name, seconds)


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a duration: "1m2.5s", "512.3ms", "17µs"; to the nanosecond."""
    nanos = round(seconds * 1e9)
    size, unit = next((one for one in _UNITS if nanos >= one[0]), _UNITS[-1])
    minutes, rest = divmod(nanos, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    leading = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{leading}{Decimal(rest) / size:f}{unit}"
