"""What clients asked and were told, as the judge reads it. Times are monotonic seconds."""

from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """Done and acknowledged, refused, or nobody knows."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Write:
    """One write of one object: "create", "update" or "delete".

    `payload` is what it puts, no other write does; `based_on` the revision that an update expects;
    `uid` the object that a deletion means; `revision` what the answer said, 0 for a deletion.
    """

    kind: str
    name: str
    payload: str
    began: float
    ended: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    based_on: int = 0
    uid: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """One list, read in pages: (payload, revision) by name, and the list's revision."""

    began: float
    revision: int
    items: dict[str, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch; `payload` and `uid` are the object's."""

    revision: int
    type: str
    name: str
    uid: str
    payload: str


@dataclass(slots=True)
class Watched:
    """What one watcher has seen since `start`, over however many connections."""

    start: int
    events: list[Event] = field(default_factory=list)
    resumed: int = 0


@dataclass(slots=True)
class History:
    """Everything of one round. `final` is a list that was read when all was quiet."""

    writes: list[Write] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    watches: list[Watched] = field(default_factory=list)
    final: Listed | None = None
