"""What a history must not show. Pure: histories in, violations as text out.

The events of the watches are the truth that all else is compared with: they have to agree with
each other, to be consistent in themselves, to show every write that was acknowledged as it was
acknowledged, none that was refused, and to lead to what lists have shown.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.availability.history import Event, History, Listed, Outcome, Watched, Write

State = dict[str, tuple[str, int]]


def violations(history: History) -> list[str]:
    """Everything that is wrong with a history."""
    if history.final is None or not history.watches:
        return ["the history has no end: nobody could look at the final state"]
    start = min(watch.start for watch in history.watches)
    truth = _truth(history.watches)
    initial = _initial(history, start)
    return [
        *_watchers(history.watches, truth, history.final.revision),
        *_steps(truth, initial),
        *_writes(history.writes, truth),
        *_order(history.writes),
        *_lists([*history.lists, history.final], truth, initial, start),
        *_freshness([*history.lists, history.final], history.writes),
    ]


def _truth(watches: list[Watched]) -> dict[int, Event]:
    return {event.revision: event for watch in watches for event in watch.events}


def _initial(history: History, start: int) -> State:
    """The state that the first watch began from: the list that it came out of."""
    return next((one.items for one in history.lists if one.revision == start), {})


def _watchers(watches: list[Watched], truth: dict[int, Event], last: int) -> Iterator[str]:
    """Every watch shows every event after its start, once, in order, as the others do."""
    for number, watch in enumerate(watches):
        seen = [event.revision for event in watch.events]
        for before, after in pairwise(seen):
            if after == before:
                yield f"watch {number} shows revision {after} twice"
            elif after < before:
                yield f"watch {number} shows revision {after} after {before}"
        for event in watch.events:
            if truth[event.revision] != event:
                yield f"watch {number} shows {event} where another shows {truth[event.revision]}"
        expected = {revision for revision in truth if watch.start < revision <= last}
        for revision in sorted(expected - set(seen)):
            yield f"watch {number} has lost {truth[revision]}"


def _steps(truth: dict[int, Event], initial: State) -> Iterator[str]:
    """ADDED follows absence, MODIFIED and DELETED follow presence."""
    present = set(initial)
    for revision in sorted(truth):
        event = truth[revision]
        if (event.type == "ADDED") == (event.name in present):
            yield f"{event} cannot follow what was there"
        (present.discard if event.type == "DELETED" else present.add)(event.name)


def _writes(writes: list[Write], truth: dict[int, Event]) -> Iterator[str]:
    """Each write that was acknowledged happened once and so; none that was refused happened."""
    by_payload: dict[str, list[Event]] = {}
    deleted: dict[str, list[Event]] = {}
    for event in truth.values():
        found = deleted if event.type == "DELETED" else by_payload
        found.setdefault(event.uid if event.type == "DELETED" else event.payload, []).append(event)
    known = {write.payload for write in writes if write.kind != "delete"}
    for payload in by_payload.keys() - known:
        yield f"{by_payload[payload][0]} was written by nobody"
    asked = {write.uid for write in writes if write.kind == "delete"}
    for uid in deleted.keys() - asked:
        yield f"{deleted[uid][0]} was asked by nobody"
    for write in writes:
        found_events = (
            deleted.get(write.uid, [])
            if write.kind == "delete"
            else by_payload.get(write.payload, [])
        )
        yield from _write(write, found_events, truth)


def _write(write: Write, events: list[Event], truth: dict[int, Event]) -> Iterator[str]:
    if len(events) > 1:
        yield f"{write} happened {len(events)} times"
    if write.outcome is Outcome.DONE and not events:
        yield f"{write} was acknowledged and is lost"
    if write.kind == "delete" or not events:
        return
    event = events[0]
    if write.outcome is Outcome.REFUSED:
        yield f"{write} was refused and happened: {event}"
    if write.outcome is Outcome.DONE and event.revision != write.revision:
        yield f"{write} was acknowledged at another revision than that of {event}"
    if write.kind == "update":
        earlier = [r for r, e in truth.items() if e.name == write.name and r < event.revision]
        if earlier and max(earlier) != write.based_on:
            yield f"{write} overwrote revision {max(earlier)}"


def _order(writes: list[Write]) -> Iterator[str]:
    """Who began after another had been acknowledged has the higher revision."""
    done = [w for w in writes if w.outcome is Outcome.DONE and w.revision]
    by_end = sorted(done, key=lambda write: write.ended)
    highest, index = 0, 0
    for write in sorted(done, key=lambda write: write.began):
        while index < len(by_end) and by_end[index].ended < write.began:
            highest = max(highest, by_end[index].revision)
            index += 1
        if write.revision <= highest:
            yield f"{write} has a revision below {highest}, which was acknowledged before"


def _lists(
    lists: list[Listed], truth: dict[int, Event], initial: State, start: int
) -> Iterator[str]:
    """Each list is the state at its revision."""
    revisions, state, index = sorted(truth), dict(initial), 0
    for listed in sorted(lists, key=lambda one: one.revision):
        if listed.revision < start:
            continue
        while index < len(revisions) and revisions[index] <= listed.revision:
            event = truth[revisions[index]]
            if event.type == "DELETED":
                state.pop(event.name, None)
            else:
                state[event.name] = (event.payload, event.revision)
            index += 1
        if listed.items != state:
            wrong = {
                name: (listed.items.get(name), state.get(name))
                for name in listed.items.keys() | state.keys()
                if listed.items.get(name) != state.get(name)
            }
            yield f"the list at {listed.revision} differs (listed, written): {wrong}"


def _freshness(lists: list[Listed], writes: list[Write]) -> Iterator[str]:
    """A list is not older than what was acknowledged before it was asked for."""
    done = sorted(
        (w for w in writes if w.outcome is Outcome.DONE and w.revision), key=lambda w: w.ended
    )
    highest, index = 0, 0
    for listed in sorted(lists, key=lambda one: one.began):
        while index < len(done) and done[index].ended < listed.began:
            highest = max(highest, done[index].revision)
            index += 1
        if listed.revision < highest:
            yield f"a list at {listed.revision} is older than the acknowledged {highest}"
