"""Many watches of one collection: what they cost, and that nobody pays for another."""

import asyncio
import json
from typing import Any

import pytest

from control_plane.api.resources import CONFIGMAPS, EVENTS, RESOURCES, Resource, ResourceSet
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.model import KeyEvent, WatchBatch
from control_plane.apiserver.http import watch_encoding
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.watch_encoding import PROTOBUF_FRAMES, WatchEncoding
from control_plane.apiserver.http.watch_reply import WatchReply
from control_plane.apiserver.storage.cache_view import Cache
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING

WATCHERS = 1000
UPDATES = 3
EVENTS_V1 = next(row for row in RESOURCES if row.api_version == "events.k8s.io/v1")


class Client:
    """A client of a watch that counts what it is sent."""

    def __init__(self, cache: Cache, encoding: WatchEncoding) -> None:
        self.body = b""
        self._expected = UPDATES
        self._done = asyncio.Event()
        watcher = cache.watch_after(EVERYTHING, cache.clock.revision)
        self._reply = WatchReply(cache, watcher, encoding, 600.0, False, False)

    async def run(self) -> None:
        scope = {"type": "http", "path": "/", "raw_path": b"/", "query_string": b"", "headers": ()}
        await self._reply.send_to(Request(scope, self._receive), self._send)

    async def _send(self, message: Any) -> None:
        self.body += message.get("body", b"")
        if self.body.count(b"x-marker-") >= self._expected:
            self._done.set()

    async def _receive(self) -> Any:
        await self._done.wait()
        return {"type": "http.disconnect"}


class Store:
    """A cache without a store behind it, fed by hand."""

    def __init__(self, resource: Resource) -> None:
        self.etcd = EtcdClient(EtcdEndpoints(("127.0.0.1:1",)))
        self.collections = Collections(ResourceSet(RESOURCES), self.etcd, "/registry", 3600)
        self.cache = self.collections.of(resource).cache
        self._kept = self.collections.caches[resource.storage_prefix.encode()]
        self._prefix = resource.storage_prefix.encode()
        self._kept.clock.advance(1)

    async def update(self, revision: int) -> None:
        kept = self._kept.resource
        value = {
            "kind": kept.kind,
            "apiVersion": kept.api_version,
            "metadata": {"name": "a", "namespace": "ns", "labels": {"m": f"x-marker-{revision}"}},
        }
        event = KeyEvent(self._prefix + b"ns/a", json.dumps(value).encode(), revision)
        await self._kept._apply(WatchBatch([event], revision))


def count_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the events that are encoded, in any of the forms in which events are shared."""
    calls: list[str] = []
    plain = WatchEncoding._encoded

    def counting(self: WatchEncoding, change: Any, entry: Any) -> bytes:
        calls.append(str(change))
        return plain(self, change, entry)

    monkeypatch.setattr(watch_encoding.WatchEncoding, "_encoded", counting)
    return calls


@pytest.mark.parametrize("resource", [CONFIGMAPS, EVENTS, EVENTS_V1], ids=lambda r: r.api_version)
async def test_an_event_is_encoded_once_for_all_who_watch(
    monkeypatch: pytest.MonkeyPatch, resource: Resource
) -> None:
    calls = count_calls(monkeypatch)
    store = Store(resource)
    clients = [
        Client(store.cache, WatchEncoding(resource, store.cache.codec)) for _ in range(WATCHERS)
    ]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run())
        for number in range(UPDATES):
            await store.update(2 + number)
    bodies = {client.body for client in clients}
    assert calls == ["ADDED", "MODIFIED", "MODIFIED"]
    assert len(bodies) == 1
    lines = [json.loads(line) for line in bodies.pop().splitlines()]
    assert [line["object"]["apiVersion"] for line in lines] == [resource.api_version] * UPDATES
    await store.etcd.close()


@pytest.mark.parametrize("resource", [CONFIGMAPS, EVENTS_V1], ids=lambda r: r.api_version)
async def test_an_event_is_encoded_once_for_each_form(
    monkeypatch: pytest.MonkeyPatch, resource: Resource
) -> None:
    calls = count_calls(monkeypatch)
    store = Store(resource)
    codec = store.cache.codec
    encodings = [
        WatchEncoding(resource, codec, *stream)
        for stream in ((), (PROTOBUF_FRAMES,))
        for _ in range(50)
    ]
    clients = [Client(store.cache, encoding) for encoding in encodings]
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.run())
        for number in range(UPDATES):
            await store.update(2 + number)
    assert len(calls) == 2 * UPDATES
    frames, lines = sorted({client.body for client in clients})
    assert frames.count(resource.api_version.encode()) == UPDATES
    assert lines.startswith(b'{"type":"ADDED"')
    await store.etcd.close()
