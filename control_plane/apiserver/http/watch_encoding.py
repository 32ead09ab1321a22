"""How a watch's events look to one client: as JSON or protobuf, of the objects themselves, of
Tables, or of metadata only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.http.accept import JSON, PROTOBUF
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.storage.cache_event import CacheEvent, Change
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.entry import Entry

Convert = Callable[[Object], Object]


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """A media type: how its objects are encoded, and how an encoded one becomes an event."""

    media_type: str
    encode: Callable[[Object], bytes]
    event: Callable[[str, bytes], bytes]


def _line(change: str, obj: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (change.encode(), obj)


JSON_LINES: Final = StreamFormat(JSON, orjson.dumps, _line)
PROTOBUF_FRAMES: Final = StreamFormat(
    f"{PROTOBUF};stream=watch", envelope.encode, envelope.watch_frame
)


class WatchEncoding:
    """The objects as they are: each event's bytes are made once and shared by all watchers."""

    def __init__(self, resource: Resource, codec: Codec, stream: StreamFormat = JSON_LINES) -> None:
        """Encode events of `resource`."""
        self.media_type = stream.media_type
        self._resource = resource
        self._codec = codec
        self._stream = stream
        self._form: Hashable = (stream.media_type, resource.api_version)

    def added(self, entry: Entry) -> bytes:
        """The event of an object that was there at the start."""
        return self._encoded(Change.ADDED, entry)

    def event(self, change: Change, event: CacheEvent) -> bytes:
        """The event of a change."""
        return event.encoded(change, self._form, self._encoded)

    def bookmark(self, revision: int, annotations: dict[str, str] | None = None) -> bytes:
        """The event that says how far the watch has come."""
        marker = self._shown(self._marker(revision, annotations))
        return self._stream.event("BOOKMARK", self._stream.encode(marker))

    def error(self, status: Object) -> bytes:
        """The event that says why the watch ends."""
        return self._stream.event("ERROR", self._stream.encode(status))

    def _encoded(self, change: Change, entry: Entry) -> bytes:
        item = self._codec.served(entry.item, entry.revision)
        if self._stream is JSON_LINES:
            return _line(change, self._codec.whole(item))
        is_kept = item is entry.item
        message = entry.message(self._codec.message) if is_kept else self._codec.message(item)
        return self._stream.event(change, self._codec.enclosed(message))

    def _shown(self, obj: Object) -> Object:
        """What the client sees of an object."""
        return obj

    def _marker(self, revision: int, annotations: dict[str, str] | None) -> Object:
        metadata: dict[str, Any] = {"resourceVersion": str(revision)}
        if annotations:
            metadata["annotations"] = annotations
        return {
            "kind": self._resource.kind,
            "apiVersion": self._resource.api_version,
            "metadata": metadata,
        }


class ConvertedWatchEncoding(WatchEncoding):
    """Objects turned into something else; `form` names what, where all clients see the same."""

    def __init__(
        self,
        resource: Resource,
        codec: Codec,
        stream: StreamFormat,
        convert: Convert,
        form: str = "",
    ) -> None:
        """`convert` makes the event's object from the API object."""
        super().__init__(resource, codec, stream)
        self._convert = convert
        self._is_shared = bool(form)
        self._form = (stream.media_type, resource.api_version, form)

    def event(self, change: Change, event: CacheEvent) -> bytes:
        """The event of a change."""
        if self._is_shared:
            return super().event(change, event)
        return self._encoded(change, event.content(change))

    def _encoded(self, change: Change, entry: Entry) -> bytes:
        item = self._codec.served(entry.item, entry.revision)
        shown = self._convert(orjson.loads(self._codec.whole(item)))
        return self._stream.event(change, self._stream.encode(shown))

    def _shown(self, obj: Object) -> Object:
        return self._convert(obj)
