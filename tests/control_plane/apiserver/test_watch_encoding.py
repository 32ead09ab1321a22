"""An event is encoded once in each form, however many watch."""

import json
from typing import Any

import pytest

from control_plane.api.resources import CONFIGMAPS
from control_plane.apiserver.http.watch_encoding import (
    JSON_LINES,
    PROTOBUF_FRAMES,
    ConvertedWatchEncoding,
    StreamFormat,
    WatchEncoding,
)
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.storage.cache_event import CacheEvent, Change
from control_plane.apiserver.storage.codec import Codec
from control_plane.apiserver.storage.entry import Entry, EntryMaker

CODEC = Codec(CONFIGMAPS)
STORED = b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"n"},"data":{}}'


def entry(revision: int = 5) -> Entry:
    return EntryMaker(CONFIGMAPS, CODEC).entry("n/a", STORED, revision)


@pytest.mark.parametrize("stream", [JSON_LINES, PROTOBUF_FRAMES])
def test_watchers_share_an_events_bytes(stream: StreamFormat) -> None:
    event = CacheEvent(5, entry(), None)
    first = WatchEncoding(CONFIGMAPS, CODEC, stream).event(Change.ADDED, event)
    assert WatchEncoding(CONFIGMAPS, CODEC, stream).event(Change.ADDED, event) is first


@pytest.mark.parametrize("stream", [JSON_LINES, PROTOBUF_FRAMES])
def test_watchers_of_metadata_share_an_events_bytes(stream: StreamFormat) -> None:
    conversions = []

    def convert(obj: Any) -> Any:
        conversions.append(obj)
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {}}

    event = CacheEvent(5, entry(), None)
    encoding = ConvertedWatchEncoding(CONFIGMAPS, CODEC, stream, convert, "metadata")
    assert encoding.event(Change.ADDED, event) is encoding.event(Change.ADDED, event)
    assert len(conversions) == 1


def test_what_one_client_is_shown_is_not_shared() -> None:
    event, seen = CacheEvent(5, entry(), None), iter("ab")
    encoding = ConvertedWatchEncoding(CONFIGMAPS, CODEC, JSON_LINES, lambda _: {"n": next(seen)})
    events = [json.loads(encoding.event(Change.ADDED, event))["object"] for _ in range(2)]
    assert events == [{"n": "a"}, {"n": "b"}]


def test_an_object_is_written_as_protobuf_once_for_lists_and_watches() -> None:
    made = entry()
    assert made.message(CODEC.message) is made.message(CODEC.message)
    frame = WatchEncoding(CONFIGMAPS, CODEC, PROTOBUF_FRAMES).added(made)
    assert made.message(CODEC.message) in frame


def test_a_deletion_has_the_revision_it_happened_at_in_every_form() -> None:
    known = entry(5)
    known.message(CODEC.message)
    event = CacheEvent(9, None, known)
    line = WatchEncoding(CONFIGMAPS, CODEC).event(Change.DELETED, event)
    assert json.loads(line)["object"]["metadata"]["resourceVersion"] == "9"
    frame = WatchEncoding(CONFIGMAPS, CODEC, PROTOBUF_FRAMES).event(Change.DELETED, event)
    body = frame[frame.index(envelope.MAGIC) :]
    assert envelope.decode(body)["metadata"]["resourceVersion"] == "9"
