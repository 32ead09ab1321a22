"""etcd's key space as a dictionary, and what a request does to it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tests.robustness.history import KV, Compare, Event, Op, Request, Result

State = Mapping[str, KV]


class Effect(NamedTuple):
    """What a request comes to: its events, which branch, each operation's result, new state."""

    events: list[Event]
    succeeded: bool
    results: tuple[Result, ...]
    state: dict[str, KV]


def within(op: Op, key: str) -> bool:
    """Say whether a key is in an operation's range."""
    return op.key <= key < op.end if op.end else key == op.key


def run(request: Request, state: State, revision: int) -> Effect:
    """Run a request that takes the given revision if it changes anything."""
    succeeded = all(_holds(compare, state) for compare in request.compares)
    now = dict(state)
    events: list[Event] = []
    branch = request.success if succeeded else request.failure
    results = tuple([_run(op, now, revision, events) for op in branch])
    return Effect(events, succeeded, results, now)


def _holds(compare: Compare, state: State) -> bool:
    kv = state.get(compare.key)
    return (kv.mod if kv else 0) == compare.mod


def _run(op: Op, now: dict[str, KV], revision: int, events: list[Event]) -> Result:
    if op.kind == "put":
        old = now.get(op.key)
        create, version = (old.create, old.version + 1) if old else (revision, 1)
        kv = now[op.key] = KV(op.key, op.value, create, revision, version, op.lease)
        events.append(Event(op.key, kv))
        return Result((old,) if old else ())
    if op.kind == "revoke":
        gone = attached(now, op.lease)
    else:
        gone = [now[key] for key in sorted(now) if within(op, key)]
    if op.kind == "get":
        return Result(tuple(gone))
    for kv in gone:
        del now[kv.key]
        events.append(Event(kv.key, None))
    return Result(tuple(gone) if op.kind == "delete" else (), len(gone))


def attached(state: State, lease: int) -> list[KV]:
    """Return the keys of a lease, in key order."""
    return [state[key] for key in sorted(state) if state[key].lease == lease]


def apply(events: Iterable[Event], state: State) -> dict[str, KV]:
    """Return the state after some events."""
    now = dict(state)
    for event in events:
        if event.kv is None:
            now.pop(event.key, None)
        else:
            now[event.key] = event.kv
    return now
