"""How a watch's events look to one client: the objects themselves, Tables, or metadata only."""

from collections.abc import Callable
from typing import Any

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.http.accept import JSON
from control_plane.apiserver.storage.cache_event import CacheEvent, Change, event_line
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.entry import Entry

Convert = Callable[[Object], Object]


class WatchEncoding:
    """The objects as they are: each event's bytes are made once and shared by all watchers."""

    media_type = JSON

    def __init__(self, resource: Resource, codec: Codec) -> None:
        """Encode events of `resource`."""
        self._resource = resource
        self._codec = codec

    def added(self, entry: Entry) -> bytes:
        """The line for an object that was there at the start."""
        return event_line(Change.ADDED, self._codec.head, entry)

    def event(self, change: Change, event: CacheEvent) -> bytes:
        """The line for a change."""
        return event.line(change, self._codec.head)

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        """The line that says how far the watch has come."""
        return _line("BOOKMARK", self._marker(revision, annotations))

    def _marker(self, revision: int, annotations: dict[str, str] | None) -> Object:
        metadata: dict[str, Any] = {"resourceVersion": str(revision), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return {
            "kind": self._resource.kind,
            "apiVersion": self._resource.api_version,
            "metadata": metadata,
        }


class ConvertedWatchEncoding(WatchEncoding):
    """Objects turned into something else for this client alone, such as one-row Tables."""

    def __init__(self, resource: Resource, codec: Codec, convert: Convert) -> None:
        """`convert` makes the event's object from the API object."""
        super().__init__(resource, codec)
        self._convert = convert

    def added(self, entry: Entry) -> bytes:
        """The line for an object that was there at the start."""
        return self._converted(Change.ADDED, entry)

    def event(self, change: Change, event: CacheEvent) -> bytes:
        """The line for a change."""
        return self._converted(change, event.content(change))

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        """The line that says how far the watch has come."""
        return _line("BOOKMARK", self._convert(self._marker(revision, annotations)))

    def _converted(self, change: Change, entry: Entry) -> bytes:
        return _line(change, self._convert(orjson.loads(self._codec.whole(entry.item))))


def _line(kind: str, obj: Object) -> bytes:
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"
