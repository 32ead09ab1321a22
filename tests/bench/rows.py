"""The table of what is measured beside etcd, and the ratios (ours to etcd) that are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RAW = "raw"  # not a work of our load program but h2load's one request
SEVERAL = 8  # connections that 256 requests in flight share; 4 are on one


@dataclass(frozen=True, slots=True)
class Goal:
    """What a front must reach, and should: ratios to etcd's rate, or milliseconds at most."""

    must: float
    aim: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    `part` is the name by which it is run, `flags` are the load program's, `fill` what it needs to
    find in the store (a call of the load program too). `goals` are by front. Latencies have the
    goals of p50; `p99` those of p99.
    """

    part: str
    name: str
    work: str
    goals: Mapping[str, Goal]
    flags: Mapping[str, Any] = field(default_factory=dict)
    fill: Mapping[str, Any] = field(default_factory=dict)
    p99: Mapping[str, Goal] = field(default_factory=dict)

    @property
    def is_latency(self) -> bool:
        """Whether times are compared with a limit, not rates with etcd's."""
        return bool(self.p99)


def _goals(must: float, aim: float, grpcio: float) -> dict[str, Goal]:
    return {"native": Goal(must, aim), "grpcio": Goal(grpcio)}


def _few(**flags: Any) -> dict[str, Any]:
    return {"in_flight": 4, "connections": 1, **flags}


def _many(**flags: Any) -> dict[str, Any]:
    return {"in_flight": 256, "connections": SEVERAL, **flags}


KEYS: dict[str, Any] = {"prefix": "/registry/bench/", "keys": 10_000, "value_bytes": 256}
PAGES: dict[str, Any] = {"prefix": "/registry/pages/", "keys": 10_000, "value_bytes": 1024}
MILLION: dict[str, Any] = {"prefix": "/registry/pages/", "keys": 1_000_000, "value_bytes": 1024}
WATCHED: dict[str, Any] = {"prefix": "/registry/watched/", "keys": 100, "value_bytes": 256}
_LATENCY = {front: Goal(2.0, 0.5) for front in ("native", "grpcio")}
_TAIL = {front: Goal(10.0, 3.0) for front in ("native", "grpcio")}

_PUT, _PUT_MANY = _goals(0.7, 1.0, 0.3), _goals(0.6, 1.0, 0.18)
_RAW, _RAW_MANY = _goals(0.8, 1.0, 0.3), _goals(0.8, 1.0, 0.18)
_TXN, _TXN_MANY = _goals(0.6, 1.0, 0.25), _goals(0.5, 1.0, 0.15)
_RANGE, _RANGE_MANY = _goals(1.0, 1.3, 0.4), _goals(0.8, 1.0, 0.18)
_PAGE, _WATCH = _goals(0.7, 2.0, 0.5), _goals(0.3, 1.0, 0.3)
_FAN_OUT = {**WATCHED, "watchers": 100, "connections": 10}
_ONE_EACH = {**WATCHED, "connections": 2}

ROWS = (
    Row("put", "Put, 4 in flight", "put", _PUT, _few(**KEYS), KEYS),
    Row("put", "Put, 256 in flight", "put", _PUT_MANY, _many(**KEYS), KEYS),
    Row("raw", "Put, raw, one key, 4 in flight", RAW, _RAW, _few()),
    Row("raw", "Put, raw, one key, 256 in flight", RAW, _RAW_MANY, _many()),
    Row("txn", "Txn, update shape, 4 in flight", "txn", _TXN, _few(**KEYS), KEYS),
    Row("txn", "Txn, update shape, 256 in flight", "txn", _TXN_MANY, _many(**KEYS), KEYS),
    Row("range", "Range of one key, 4 in flight", "range", _RANGE, _few(**KEYS), KEYS),
    Row("range", "Range of one key, 256 in flight", "range", _RANGE_MANY, _many(**KEYS), KEYS),
    Row("page", "500-key page, 10,000 keys", "page", _PAGE, _few(**PAGES), PAGES),
    Row("million", "500-key page, 1,000,000 keys", "page", _PAGE, _few(**MILLION), MILLION),
    Row("watch", "events, 1 writer, 100 watchers", "watch", _WATCH, _FAN_OUT),
    Row("latency", "put to event, idle server", "latency", _LATENCY, _ONE_EACH, p99=_TAIL),
)
