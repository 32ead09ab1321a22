"""One change of one object, and what it looks like to a watcher with selectors.

A change is encoded once in each form, whoever watches: what goes over the wire is kept with it.
"""

from collections.abc import Callable, Hashable
from enum import StrEnum

from control_plane.apiserver.storage.entry import Entry
from control_plane.apiserver.storage.selection import Selection


class Change(StrEnum):
    """The type of a watch event."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class CacheEvent:
    """A put (`entry` is the new state) or a deletion (`entry` is None) at one revision.

    `previous` is the state before, None for a creation. One of the two is there.
    """

    __slots__ = ("_encoded", "entry", "previous", "revision")

    def __init__(self, revision: int, entry: Entry | None, previous: Entry | None) -> None:
        """Describe the change from `previous` to `entry`."""
        self.revision = revision
        self.entry = entry
        self.previous = previous
        self._encoded: dict[tuple[Hashable, Change], bytes] = {}

    @property
    def size(self) -> int:
        """Bytes held by this event beyond those of the state before."""
        return len(self.entry.item) if self.entry is not None else 0

    def change_for(self, selection: Selection) -> Change | None:
        """What a watcher with `selection` sees of it; None: nothing."""
        anchor = self.entry or self.previous
        if anchor is None or not selection.covers(anchor):
            return None
        before = self.previous is not None and selection.matches(self.previous)
        after = self.entry is not None and selection.matches(self.entry)
        if after:
            return Change.MODIFIED if before else Change.ADDED
        return Change.DELETED if before else None

    def content(self, change: Change) -> Entry:
        """The object a watcher is shown: for DELETED the last state it knew, at this revision."""
        if change is not Change.DELETED and self.entry is not None:
            return self.entry
        if self.previous is None:
            raise ValueError(f"a creation at revision {self.revision} cannot be a deletion")
        return self.previous.at(self.revision)

    def encoded(
        self, change: Change, form: Hashable, encode: Callable[[Change, Entry], bytes]
    ) -> bytes:
        """The event as it goes over the wire: made for the first who watches in that form."""
        key = (form, change)
        found = self._encoded.get(key)
        if found is None:
            found = self._encoded[key] = encode(change, self.content(change))
        return found
