"""Calls to the store counted: by operation and by the resource whose keys they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.resource import STORAGE_ROOT
from control_plane.apiserver.metrics.histogram import REQUEST_SECONDS, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.resource import Resource

OTHER = ("", "")


class Calls:
    """The calls of one kind."""

    __slots__ = ("failed", "seconds")

    def __init__(self) -> None:
        """Nothing has been counted yet."""
        self.failed = 0
        self.seconds = Histogram(REQUEST_SECONDS)


class StoreCalls:
    """Calls by (operation, group, resource); keys that are no resource's count as ("", "")."""

    def __init__(self, rows: Iterable[Resource] = (), root: str = "") -> None:
        """Know the keys of `rows` under `root`, such as "/registry"."""
        self.calls: dict[tuple[str, str, str], Calls] = {}
        self._start = len(root) + 1
        self._names: dict[bytes, tuple[str, str]] = {}
        for row in rows:
            if row.is_stored:
                place = row.storage_prefix.removeprefix(STORAGE_ROOT).strip("/").encode()
                self._names.setdefault(place, (row.group, row.plural))

    def observe(self, operation: str, key: bytes, seconds: float, *, failed: bool = False) -> None:
        """Count a call about `key`."""
        kind = (operation, *self._resource_of(key))
        calls = self.calls.get(kind)
        if calls is None:
            calls = self.calls[kind] = Calls()
        calls.failed += failed
        calls.seconds.observe(seconds)

    def _resource_of(self, key: bytes) -> tuple[str, str]:
        first, _, rest = key[self._start :].partition(b"/")
        known = self._names.get(first)
        if known is not None:
            return known
        return self._names.get(b"%s/%s" % (first, rest.partition(b"/")[0]), OTHER)
