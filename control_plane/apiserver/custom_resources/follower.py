"""Keeps the table of what is served as the watch cache of CustomResourceDefinitions is.

The cache calls it in the moment it takes a change in. A definition whose spec and names are as they
were keeps its rows, and so its caches and watches. One that makes no sense (it was put into the
store by others) is logged and not served.
"""

import logging
from collections.abc import Iterable

from control_plane.api.custom.definition import Definition
from control_plane.api.custom.rows import rows_of
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS, Resource
from control_plane.apiserver.storage.cache_event import CacheEvent
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.entry import Entry

logger = logging.getLogger(__name__)


class DefinitionFollower:
    """The definitions there are, and the rows that are served of them."""

    def __init__(self, collections: Collections) -> None:
        """Serve through `collections` from its first load of definitions on."""
        self.definitions: dict[str, Definition] = {}
        self._collections = collections
        self._rows: dict[str, tuple[Resource, ...]] = {}
        self._taken = {(row.group, row.version) for row in collections.resources.rows}
        collections.observe(CUSTOMRESOURCEDEFINITIONS, self)

    def rows(self, name: str) -> tuple[Resource, ...]:
        """The rows that are served of a definition."""
        return self._rows.get(name, ())

    def loaded(self, entries: Iterable[Entry]) -> None:
        """Take the whole state in."""
        present = {entry.name: entry for entry in entries}
        changes = [self._take(name, None) for name in self.definitions.keys() - present.keys()]
        changes += [self._take(name, entry) for name, entry in present.items()]
        if any(changes):
            self._serve()

    def changed(self, event: CacheEvent) -> None:
        """Take one change in."""
        entry = event.entry or event.previous
        if entry is not None and self._take(entry.name, event.entry):
            self._serve()

    def _take(self, name: str, entry: Entry | None) -> bool:
        """Note a definition; True when what is served of it has changed."""
        before = self.definitions.pop(name, None)
        rows = self._rows.pop(name, ())
        made = self._read(entry) if entry is not None else None
        if made is None:
            return bool(rows)
        if before is not None and (before.uid, before.identity) == (made.uid, made.identity):
            before.follow(made)
            self.definitions[name], self._rows[name] = before, rows
            return False
        self.definitions[name] = made
        self._rows[name] = rows_of(made, self._taken)
        return bool(rows or self._rows[name])

    def _read(self, entry: Entry) -> Definition | None:
        try:
            return Definition(entry.item)  # the cache's own bytes
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            logger.error("unusable definition name=%s: %r", entry.name, error)
            return None

    def _serve(self) -> None:
        """Serve all rows; of two that claim the same kind, the first by name."""
        served: dict[tuple[str, str, str], Resource] = {}
        for name in sorted(self._rows):
            for row in self._rows[name]:
                served.setdefault((row.group, row.version, row.kind), row)
        self._collections.serve(served.values())
