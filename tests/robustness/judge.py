"""The judge: do the answers, the events and one simple history agree?

Every write takes a revision of its own and every answer carries one, so the order of the history is
known and no search is needed: the events of the revisions are replayed one by one, each must be all
of what some request does in the state before it, and each answer must be what that history says.
What a client was not told may have happened once, whole, or not at all. In real time, no answer may
speak of a state older than one that somebody had been told of before the call began, whichever
servers the two had asked.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from tests.robustness.history import OK, REFUSED, UNKNOWN, Event, Grant, Log, Op, Record
from tests.robustness.model import State, apply, attached, run

Events = Mapping[int, Sequence[Event]]  # by revision
NO_LEASE = "requested lease not found"


@dataclass(slots=True)
class Verdict:
    """What is wrong, and what was counted on the way."""

    violations: list[str] = field(default_factory=list)
    revisions: int = 0
    acknowledged: int = 0
    reads: int = 0
    unknown: int = 0
    unknown_done: int = 0
    expired: int = 0
    gated: int = 0


class Judge:
    """Judges one stretch of history that begins in a known state."""

    def __init__(
        self, base: int, state: State, log: Log, events: Events, earlier: Sequence[Record] = ()
    ) -> None:
        """`events` are all those after revision `base`, whose state is `state`.

        `earlier` are writes of unknown outcome from before, which may still happen.
        """
        self.verdict = Verdict()
        self.last = max(events, default=base)
        self.states: dict[int, State] = {base: state}
        self._base = base
        self._events = events
        self._log = log
        self._order: list[tuple[Record, int, bool]] = []  # what is known of when it happened
        self._revoking: list[Record] = []  # revocations that are known to have deleted keys
        self._grants = _longest(log.grants)
        self._unknown = _Unknown([*earlier, *log.records])
        self._told = _Told(log.records)
        self._revoked: dict[int, list[Record]] = defaultdict(list)
        for record in log.records:
            if record.status == OK and _revokes(record):
                self._revoked[record.revision].append(record)

    def judge(self) -> Verdict:
        """Replay the history and judge every answer by it."""
        writers = dict(self._acknowledged())
        for revision in range(self._base + 1, self.last + 1):
            self._replay(revision, writers.get(revision))
        self._judge_reads()
        self._judge_leases()
        self._judge_order()
        self._count()
        return self.verdict

    def open(self) -> list[Record]:
        """Return the writes of unknown outcome that have not happened so far."""
        return self._unknown.left()

    def _blame(self, text: str) -> None:
        self.verdict.violations.append(text)

    def _acknowledged(self) -> Iterator[tuple[int, Record]]:
        """Yield the writes whose revision their client was told."""
        seen: set[int] = set()
        for record in self._log.records:
            if not record.changed:
                continue
            if record.revision in seen:
                self._blame(f"revision {record.revision} was given to two writes")
            if record.revision > self.last:
                self._blame(f"acknowledged at {record.revision}, but lost: {record.request}")
            elif record.revision <= self._base:
                self._blame(f"revision {record.revision} was given again: {record.request}")
            seen.add(record.revision)
            yield record.revision, record

    def _replay(self, revision: int, record: Record | None) -> None:
        before = self.states[revision - 1]
        events = list(self._events.get(revision, ()))
        if not events:
            self._blame(f"revision {revision} is missing")
        elif record is not None:
            self._judge_write(record, before, events)
        else:
            self._find_writer(revision, before, events)
        self.states[revision] = apply(events, before)

    def _judge_write(self, record: Record, before: State, events: list[Event]) -> None:
        effect = run(record.request, before, record.revision)
        if effect.events != events:
            self._blame(f"revision {record.revision} is {events}, not {effect.events}")
        elif (effect.succeeded, effect.results) != (record.succeeded, record.results):
            self._blame(f"revision {record.revision} was answered with {record.results}")
        self._order.append((record, record.revision, True))

    def _find_writer(self, revision: int, before: State, events: list[Event]) -> None:
        for revoked in self._revoked.get(revision, ()):
            if run(revoked.request, before, revision).events == events:
                self._revoking.append(revoked)
                self._order.append((revoked, revision, True))
                return
        by = self._told.by(revision)
        for record in self._unknown.candidates(events):
            if record.start < by and run(record.request, before, revision).events == events:
                self._unknown.take(record)
                self.verdict.unknown_done += 1
                self._order.append((record, revision, True))
                return
        leases = {before[event.key].lease for event in events if event.key in before}
        lease = leases.pop() if len(leases) == 1 else 0
        gone = [Event(kv.key, None) for kv in attached(before, lease)] if lease else []
        if lease in self._grants and gone == events:
            self.verdict.expired += 1
            if by < self._grants[lease].ends:
                grant = self._grants[lease]
                self._blame(f"revision {revision}: {grant} ended before its time, by {by}")
            return
        self._blame(f"revision {revision} is nobody's, or half of somebody's write: {events}")

    def _judge_reads(self) -> None:
        """Judge the answers that changed nothing: all they say is true at their revision."""
        for record in self._log.records:
            if record.status != OK or record.changed or record in self._revoking:
                continue
            state = self.states.get(record.revision)
            if state is None:
                self._blame(f"answered at revision {record.revision}, which is not: {record}")
                continue
            asked = _pinned(record)
            if asked:
                state = self.states.get(asked)
            if state is not None:
                effect = run(record.request, state, 0)
                if (effect.succeeded, effect.results) != (record.succeeded, record.results):
                    at = asked or record.revision
                    self._blame(f"read {record.results} at {at}, which has {effect.results}")
            self._order.append((record, record.revision, False))

    def _judge_leases(self) -> None:
        """A lease that was granted is known everywhere: only its own client revokes it."""
        for record in self._log.records:
            if record.status != REFUSED or NO_LEASE not in record.error:
                continue
            asked = {op.lease for op in (*record.request.success, *record.request.failure)} - {0}
            grants = [self._grants[lease] for lease in asked if lease in self._grants]
            if all(grant.told and record.end < grant.ends for grant in grants):
                self._blame(f"no such lease, though it had been granted: {record.request}")

    def _judge_order(self) -> None:
        """See that time and revisions agree: what ended before another began is not after it."""
        ended = sorted((r.end, at) for r, at, _ in self._order if r.status == OK)
        known, upto = 0, 0
        for record, at, wrote in sorted(self._order, key=lambda known: known[0].start):
            while upto < len(ended) and ended[upto][0] < record.start:
                known = max(known, ended[upto][1])
                upto += 1
            if at < known or (wrote and at == known):
                self._blame(f"at {at}, though {known} had been answered before: {record.request}")

    def _count(self) -> None:
        verdict, records = self.verdict, self._log.records
        verdict.revisions = self.last - self._base
        verdict.acknowledged = sum(record.changed for record in records)
        verdict.reads = sum(record.status == OK and not record.changed for record in records)
        verdict.unknown = sum(record.status == UNKNOWN for record in records)


class _Told:
    """When which revision was told for the first time: a write that began later is not its own."""

    def __init__(self, records: Sequence[Record]) -> None:
        told = sorted((r.revision, r.end) for r in records if r.status == OK)
        self._revisions = [revision for revision, _ in told]
        ends = list(accumulate((end for _, end in reversed(told)), min))
        self._first = ends[::-1]

    def by(self, revision: int) -> float:
        """Return when somebody had been told of the revision, or of a later one."""
        at = bisect_left(self._revisions, revision)
        return self._first[at] if at < len(self._first) else inf


class _Unknown:
    """The writes whose outcome their clients were not told; each may have happened once."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._all = [record for record in records if record.status == UNKNOWN]
        self._taken: set[int] = set()  # ids: the records are kept alive by `_all`
        self._by_value: dict[str, list[Record]] = defaultdict(list)
        self._deletes: list[Record] = []
        for record in self._all:
            operations = (*record.request.success, *record.request.failure)
            values = {op.value for op in operations if op.kind == "put"}
            for value in values:
                self._by_value[value].append(record)
            if any(op.kind in ("delete", "revoke") for op in operations):
                self._deletes.append(record)
        # A delete of one key explains less than one of many: it is asked first.
        self._deletes.sort(key=lambda record: sum(map(_breadth, record.request.success)))

    def candidates(self, events: Sequence[Event]) -> list[Record]:
        """Return the writes that these events may come from: values are unique."""
        values = [event.kv.value for event in events if event.kv is not None]
        found = self._by_value.get(values[0], ()) if values else self._deletes
        return [record for record in found if id(record) not in self._taken]

    def take(self, record: Record) -> None:
        """Note that a write has happened."""
        self._taken.add(id(record))

    def left(self) -> list[Record]:
        """Return those that have not happened."""
        return [record for record in self._all if id(record) not in self._taken]


def _longest(grants: Sequence[Grant]) -> dict[int, Grant]:
    """Return for each lease the grant, or renewal, that lasts longest."""
    return {grant.lease: grant for grant in sorted(grants, key=lambda grant: grant.ends)}


def _breadth(op: Op) -> int:
    return 2 if op.end else 1 + (op.kind == "revoke")


def _revokes(record: Record) -> bool:
    """Say whether a call revoked a lease: its answer does not tell how many keys that deleted."""
    return any(op.kind == "revoke" for op in record.request.success)


def _pinned(record: Record) -> int:
    """Return the old revision that a read asked for, 0 for none."""
    return next((op.revision for op in record.operations if op.revision), 0)
