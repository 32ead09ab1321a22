"""What clients asked and were told, as values that travel between processes as JSON lines."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


class KV(NamedTuple):
    """A live key as a client sees it."""

    key: str
    value: str
    create: int
    mod: int
    version: int
    lease: int


class Event(NamedTuple):
    """One event: `kv` is None for a delete."""

    key: str
    kv: KV | None


class Op(NamedTuple):
    """One operation: put (value, lease), delete or get (end, revision), revoke (lease)."""

    kind: str
    key: str = ""
    end: str = ""
    value: str = ""
    lease: int = 0
    revision: int = 0


class Compare(NamedTuple):
    """That a key's mod revision is the given one (0: that it does not exist)."""

    key: str
    mod: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `alone` sends its one operation as an RPC of its own, else it is a Txn."""

    alone: bool
    success: tuple[Op, ...]
    failure: tuple[Op, ...] = ()
    compares: tuple[Compare, ...] = ()


class Result(NamedTuple):
    """What one operation answered: keys found or replaced, and how many were deleted."""

    kvs: tuple[KV, ...] = ()
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One call: times are seconds on the machine's monotonic clock, common to all processes."""

    request: Request
    start: float
    end: float
    status: str
    revision: int = 0
    succeeded: bool = True
    results: tuple[Result, ...] = ()
    error: str = ""

    @property
    def operations(self) -> tuple[Op, ...]:
        """The branch that was taken."""
        return self.request.success if self.succeeded else self.request.failure

    @property
    def changed(self) -> bool:
        """Whether the answer says that something was written."""
        pairs = zip(self.operations, self.results, strict=True)
        return self.status == OK and any(
            op.kind == "put" or (op.kind in ("delete", "revoke") and result.deleted)
            for op, result in pairs
        )


@dataclass(slots=True)
class Grant:
    """A lease that a client asked for or renewed: it may exist from `start` on, and if so for `ttl`
    seconds at least.

    `told`: its client was told that it does exist, before it went on.
    """

    lease: int
    ttl: int
    start: float
    told: bool = False

    @property
    def ends(self) -> float:
        """Before this time it does not end by itself."""
        return self.start + self.ttl


@dataclass(frozen=True, slots=True)
class Toggle:
    """One turn of a gate (`gates.py`), through some server."""

    gate: str
    shut: bool
    start: float
    end: float
    status: str


@dataclass(frozen=True, slots=True)
class Try:
    """One call that a gate lets through or refuses."""

    gate: str
    start: float
    end: float
    passed: bool


@dataclass(slots=True)
class Log:
    """What one client process has to tell of a round; `troubles` are wrong whatever else was."""

    records: list[Record] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    toggles: list[Toggle] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def save(log: Log, path: Path) -> None:
    """Write a log."""
    with path.open("w") as out:
        for record in log.records:
            out.write(json.dumps(asdict(record)) + "\n")
        entries = [
            *(("grant", asdict(grant)) for grant in log.grants),
            *(("toggle", asdict(toggle)) for toggle in log.toggles),
            *(("try", asdict(passage)) for passage in log.tries),
        ]
        for kind, entry in entries:
            out.write(json.dumps({kind: entry}) + "\n")
        for text in log.troubles:
            out.write(json.dumps({"trouble": text}) + "\n")


def load(paths: Iterable[Path]) -> Log:
    """Read the logs of all client processes."""
    log = Log()
    for path in paths:
        for line in path.read_text().splitlines():
            _add(json.loads(line), log)
    return log


def _add(entry: dict[str, Any], log: Log) -> None:
    if "request" in entry:
        log.records.append(_record(entry))
    elif "grant" in entry:
        log.grants.append(Grant(**entry["grant"]))
    elif "toggle" in entry:
        log.toggles.append(Toggle(**entry["toggle"]))
    elif "try" in entry:
        log.tries.append(Try(**entry["try"]))
    else:
        log.troubles.append(entry["trouble"])


def _record(entry: dict[str, Any]) -> Record:
    asked = entry.pop("request")
    request = Request(
        asked["alone"],
        tuple(Op(*op) for op in asked["success"]),
        tuple(Op(*op) for op in asked["failure"]),
        tuple(Compare(*compare) for compare in asked["compares"]),
    )
    results = tuple(
        Result(tuple(KV(*kv) for kv in kvs), deleted) for kvs, deleted in entry.pop("results")
    )
    return Record(request, results=results, **entry)
