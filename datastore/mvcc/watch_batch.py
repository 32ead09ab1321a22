"""Events that are sent together: made once, and shared by every watcher that is given the same.

A batch never splits a revision, and is cut where it reaches BATCH_BYTES. The edge keeps its
encoded form here too, so that a thousand watchers of one prefix cost one encoding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from datastore.mvcc.model import Event

BATCH_BYTES = 1 << 20  # events beyond this go into the next batch


class Batch:
    """Some events in order, never none; `size` is about their bytes on the wire."""

    __slots__ = ("_wire", "events", "prevs_known", "size")

    def __init__(self, events: Sequence[Event], size: int) -> None:
        self.events = events
        self.size = size
        self.prevs_known = all(event.prev_known for event in events)
        self._wire: dict[bool, bytes] = {}

    @property
    def first(self) -> int:
        """The revision of the first event."""
        return self.events[0].revision

    @property
    def last(self) -> int:
        """The revision of the last event."""
        return self.events[-1].revision

    def wire(self, *, prev_kv: bool, encode: Callable[[Event], bytes]) -> bytes:
        """Return the events as `encode` writes each, one after the other; made once."""
        encoded = self._wire.get(prev_kv)
        if encoded is None:
            encoded = self._wire[prev_kv] = b"".join([encode(event) for event in self.events])
        return encoded


def in_batches(events: Sequence[Event]) -> Iterator[Batch]:
    """Yield events, if there are any, in batches of whole revisions."""
    part: list[Event] = []
    size = 0
    for event in events:
        if size > BATCH_BYTES and event.revision != part[-1].revision:
            yield Batch(part, size)
            part, size = [], 0
        part.append(event)
        size += event.size
    if part:
        yield Batch(part, size)
