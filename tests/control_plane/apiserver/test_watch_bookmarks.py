"""Bookmarks: a client that believes them never goes back to what it has seen."""

import asyncio
import json
from typing import Any

import pytest

from control_plane.api.resources import CONFIGMAPS
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.http import watch_reply
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.watch_encoding import WatchEncoding
from control_plane.apiserver.http.watch_reply import WatchReply
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.apiserver.storage.watch_cache import WatchCache
from control_plane.apiserver.storage.watcher import Pending

CACHE_REVISION = 7


@pytest.mark.parametrize(("start", "marked"), [(5, CACHE_REVISION), (9, 9)])
async def test_a_bookmark_is_never_before_the_watchs_start(
    monkeypatch: pytest.MonkeyPatch, start: int, marked: int
) -> None:
    monkeypatch.setattr(watch_reply, "BOOKMARK_SECONDS", 0.001)
    etcd = EtcdClient(EtcdEndpoints(("127.0.0.1:1",)))
    cache = WatchCache(CONFIGMAPS, etcd, b"/registry/configmaps/")
    cache.clock.advance(CACHE_REVISION)
    encoding = WatchEncoding(CONFIGMAPS, cache.codec)
    watcher = cache.watch_after(EVERYTHING, start)
    client = _Client()
    reply = WatchReply(cache, watcher, encoding, 600.0, True, False)
    await reply.send_to(_request(client), client.send)
    await etcd.close()
    assert client.first["type"] == "BOOKMARK"
    assert client.first["object"]["metadata"]["resourceVersion"] == str(marked)


async def test_a_watch_without_bookmarks_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_reply, "BOOKMARK_SECONDS", 0.01)
    monkeypatch.setattr(watch_reply, "LAST_BOOKMARK_SECONDS", 0.01)
    etcd = EtcdClient(EtcdEndpoints(("127.0.0.1:1",)))
    cache = WatchCache(CONFIGMAPS, etcd, b"/registry/configmaps/")
    watcher = cache.watch_after(EVERYTHING, 5)
    takes = 0
    take = watcher.take

    async def counted(within: float | None = None) -> list[Pending]:
        nonlocal takes
        takes += 1
        return await take(within)

    monkeypatch.setattr(watcher, "take", counted)
    client = _Client()
    encoding = WatchEncoding(CONFIGMAPS, cache.codec)
    await WatchReply(cache, watcher, encoding, 0.3, False, False).send_to(
        _request(client), client.send
    )
    await etcd.close()
    assert client.first is None
    assert takes < 100


def _request(client: "_Client") -> Request:
    scope = {"type": "http", "path": "/", "raw_path": b"/", "query_string": b"", "headers": ()}
    return Request(scope, client.receive)


class _Client:
    """A client that leaves at the first event."""

    def __init__(self) -> None:
        self.first: Any = None
        self._has_read = asyncio.Event()

    async def send(self, message: Any) -> None:
        body = message.get("body")
        if body and not self._has_read.is_set():
            self.first = json.loads(body.splitlines()[0])
            self._has_read.set()

    async def receive(self) -> Any:
        await self._has_read.wait()
        return {"type": "http.disconnect"}
