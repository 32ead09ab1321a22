"""What is shut and opened at one server and must bind at all at once: the alarm, a permission.

One task of one client process turns a gate at a server chosen at random, and once that is
acknowledged tries it at every server. `judge_gates` judges these tries, and for the alarm every put
of all clients: what began after a turn was acknowledged and ended before the next one began finds
the gate as that turn left it. A turn of unknown outcome may happen late, so that after it nothing
is judged until the round is over.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from tests.robustness.history import OK, REFUSED, UNKNOWN, Log, Record, Toggle, Try

ALARM, PERMISSION = "the alarm", "the permission"
NO_SPACE = "database space exceeded"
DENIED = "permission denied"
# Nobody's token is ever taken back here, and each was acknowledged before it was used.
NEVER = ("invalid auth token", "user name is empty")


class Span(NamedTuple):
    """A time in which a gate was shut for sure, or open."""

    shut: bool
    begin: float
    end: float

    def holds(self, passage: Try) -> bool:
        """Say whether all of a try was in it."""
        return self.begin < passage.start and passage.end < self.end


class Gated(NamedTuple):
    """What is wrong, and how many tries were judged."""

    violations: list[str]
    judged: int


def judge_gates(log: Log) -> Gated:
    """Judge every try of every gate by the turns."""
    violations = [f"refused for a token that holds at all servers: {each}" for each in log.troubles]
    violations += [
        f"refused for a token that holds at all servers: {record.error}"
        for record in log.records
        if any(text in record.error for text in NEVER)
    ]
    judged = 0
    tries = [*log.tries, *_puts(log.records)]
    for gate in (ALARM, PERMISSION):
        spans = list(_spans([toggle for toggle in log.toggles if toggle.gate == gate]))
        for passage in tries:
            span = next((each for each in spans if each.holds(passage)), None)
            if passage.gate != gate or span is None:
                continue
            judged += 1
            if passage.passed == span.shut:
                is_was = "shut, and let through" if span.shut else "open, and refused"
                violations.append(f"{gate} was {is_was} {passage} within {span}")
    return Gated(violations, judged)


def _spans(toggles: Sequence[Toggle]) -> Iterator[Span]:
    """Yield the times in which it is known how a gate was; one task has turned it."""
    happened = [toggle for toggle in toggles if toggle.status != REFUSED]
    for number, toggle in enumerate(happened):
        if toggle.status == UNKNOWN:
            return
        following = happened[number + 1].start if number + 1 < len(happened) else inf
        yield Span(toggle.shut, toggle.end, following)


def _puts(records: Sequence[Record]) -> Iterator[Try]:
    """Yield the calls that the alarm lets through or refuses: all that may put."""
    for record in records:
        stopped = record.status == REFUSED and NO_SPACE in record.error
        operations = (*record.request.success, *record.request.failure)
        if any(op.kind == "put" for op in operations) and (stopped or record.status == OK):
            yield Try(ALARM, record.start, record.end, not stopped)
