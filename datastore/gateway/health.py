"""/health, /livez, /readyz: whether the store answers, and what alarms stand. Source: etcd 3.6.

A check is a read of the database. It may take CHECK_SECONDS; a database that is away fails it.
There is no raft: a server that reads the database has a leader and is no learner.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qs

import orjson

from datastore.errors import DatastoreError
from datastore.rpc.maintenance import alarm_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from datastore.mvcc.store import Store

CHECK_SECONDS = 7.0
T = TypeVar("T")
TEXT = {"content-type": "text/plain; charset=utf-8"}
PLAIN = TEXT | {"x-content-type-options": "nosniff"}


class CheckFailed(Exception):
    """Why a check fails, for /livez and /readyz; for /health the text is the reason."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Checked(NamedTuple):
    """How often a check failed and passed, and whether it passed the last time."""

    failures: int
    successes: int
    is_healthy: bool


class Health:
    """Answers the health paths of one server, and counts the answers of /health."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.successes = 0
        self.failures = 0
        self.checks: dict[tuple[str, str], Checked] = {}  # by kind and check

    async def health(self, query: bytes) -> Answer:
        """Answer /health."""
        asked = parse_qs(query.decode("latin-1"), keep_blank_values=True)
        try:
            await self._alarms_but(frozenset(asked.get("exclude", ())))
        except CheckFailed as reason:
            self.failures += 1
            body = orjson.dumps({"health": "false", "reason": str(reason)}) + b"\n"
            return Answer(503, body, PLAIN)
        self.successes += 1
        return Answer(200, b'{"health":"true","reason":""}', TEXT)

    async def probe(self, kind: str, check: str, query: bytes) -> Answer:
        """Answer /livez or /readyz (`kind`), or one check of it."""
        asked = parse_qs(query.decode("latin-1"), keep_blank_values=True)
        excluded = asked.get("exclude", ())
        checks = (check,) if check else [c for c in _PROBES[kind] if c not in excluded]
        lines = [await self._line(kind, name) for name in checks]
        listed = "".join(f"{line}\n" for line in lines)
        if any(line.startswith("[-]") for line in lines):
            return Answer(503, f"{listed}\n".encode(), PLAIN)
        return Answer(200, f"{listed if 'verbose' in asked else ''}ok\n".encode(), PLAIN)

    async def _line(self, kind: str, name: str) -> str:
        trouble = ""
        try:
            await _CHECKS[name](self)
        except CheckFailed as error:
            trouble = str(error)
        failures, successes, _ = self.checks.get((kind, name), (0, 0, False))
        ok = not trouble
        self.checks[kind, name] = Checked(failures + (not ok), successes + ok, ok)
        return f"[-]{name} failed: {trouble}" if trouble else f"[+]{name} ok"

    async def _alarms_but(self, excluded: frozenset[str]) -> None:
        """Fail at the first alarm that is not excluded, or when the store cannot be read."""
        for name in await self._alarms("RANGE ERROR:"):
            if name not in excluded:
                known = name if name in ("NOSPACE", "CORRUPT") else "UNKNOWN"
                raise CheckFailed(f"ALARM {known}")

    async def _alarms(self, prefix: str = "") -> list[str]:
        _, alarms = await _in_time(self._store.alarms(), prefix)
        return [alarm_name(alarm.alarm) for alarm in alarms]

    async def _data_corruption(self) -> None:
        if "CORRUPT" in await self._alarms():
            raise CheckFailed("alarm activated: CORRUPT")

    async def _read(self) -> None:
        await _in_time(self._store.state())

    async def _non_learner(self) -> None:
        return


def has_check(kind: str, check: str) -> bool:
    """Say whether there is such a check, "" for all of a kind."""
    return kind in _PROBES and (not check or check in _PROBES[kind])


async def _in_time(read: Awaitable[T], prefix: str = "") -> T:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await read
    except TimeoutError:
        raise CheckFailed(f"{prefix}context deadline exceeded") from None
    except DatastoreError as error:
        raise CheckFailed(f"{prefix}{error}") from None


_CHECKS: dict[str, Callable[[Health], Awaitable[None]]] = {
    "data_corruption": Health._data_corruption,
    "serializable_read": Health._read,
    "linearizable_read": Health._read,
    "non_learner": Health._non_learner,
}
_PROBES: dict[str, tuple[str, ...]] = {
    "livez": ("serializable_read",),
    "readyz": ("non_learner", "data_corruption", "serializable_read", "linearizable_read"),
}
