"""The watch cache against a store that compacts, and watchers that do not keep up."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from itertools import islice

import pytest

from control_plane.api.resources import CONFIGMAPS
from control_plane.apiserver.compaction import Compactor
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.errors import CompactedError
from control_plane.apiserver.etcd.model import prefix_end
from control_plane.apiserver.storage import watcher as watcher_module
from control_plane.apiserver.storage.leases import ObjectLeases
from control_plane.apiserver.storage.object_store import ObjectStore
from control_plane.apiserver.storage.progress_gate import reports_progress
from control_plane.apiserver.storage.selection import EVERYTHING, Selection
from control_plane.apiserver.storage.watch_cache import TooOldError, WatchCache
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

SECONDS = 30
PREFIX = b"/cache-test/configmaps/"


@pytest.fixture
async def etcd(store: Etcd | Datastore) -> AsyncIterator[EtcdClient]:
    client = EtcdClient(EtcdEndpoints((store.endpoint,)))
    yield client
    await client.close()


@contextlib.asynccontextmanager
async def _running(cache: WatchCache) -> AsyncIterator[None]:
    task = asyncio.create_task(cache.run())
    try:
        assert await cache.clock.reach(1, SECONDS)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _put(objects: ObjectStore, name: str, **data: str) -> int:
    obj = config_map(name, None, **data)
    obj["metadata"]["namespace"] = "ns"
    key = objects.key("ns", name)
    stored = await objects.get("ns", name)
    revision = stored.revision if stored is not None else 0
    swap = await objects.put(key, objects.codec.encode(obj), revision)
    assert swap.succeeded
    return swap.revision


async def test_a_cache_follows_and_survives_compaction(etcd: EtcdClient) -> None:
    cache, objects = WatchCache(CONFIGMAPS, etcd, PREFIX), ObjectStore(CONFIGMAPS, etcd, PREFIX)
    await _put(objects, "old")
    async with _running(cache):
        revision = await _put(objects, "a", x="1")
        assert await cache.clock.reach(revision, SECONDS)
        assert [entry.key for entry in cache.select()] == ["ns/a", "ns/old"]
        watcher = cache.watch_after(EVERYTHING, cache.clock.revision)
    assert watcher.has_ended
    await objects.remove(objects.key("ns", "old"), (await _stored(objects, "old")))
    compacted = await _put(objects, "a", x="2")
    await etcd.compact(compacted)
    async with _running(cache):
        assert await cache.clock.reach(compacted, SECONDS)
        assert [entry.key for entry in cache.select()] == ["ns/a"]
        with pytest.raises(TooOldError):
            cache.watch_after(EVERYTHING, revision)
        assert cache.select(Selection(namespace="other")) == []
    await objects.remove(objects.key("ns", "a"), (await _stored(objects, "a")))


async def _stored(objects: ObjectStore, name: str) -> int:
    stored = await objects.get("ns", name)
    assert stored is not None
    return stored.revision


async def test_what_is_no_object_is_passed_over(etcd: EtcdClient) -> None:
    cache = WatchCache(CONFIGMAPS, etcd, PREFIX)
    await etcd.put_if(PREFIX + b"ns/junk", b"\xff\x00junk", 0)
    async with _running(cache):
        swap = await etcd.put_if(PREFIX + b"ns/list", b"[1]", 0)
        assert await cache.clock.reach(swap.revision, SECONDS)
        assert cache.select() == []
    for key in (b"ns/junk", b"ns/list"):
        kv, _ = await etcd.get(PREFIX + key)
        assert kv is not None
        await etcd.delete_if(PREFIX + key, kv.mod_revision)


async def test_servers_compact_in_turns(etcd: EtcdClient) -> None:
    one, other = Compactor(etcd), Compactor(etcd)
    swap = await etcd.put_if(b"/cache-test/x", b"1", 0)
    await one.round()
    await other.round()
    await one.round()
    await one.round()
    with pytest.raises(CompactedError):
        await etcd.range(PREFIX, prefix_end(PREFIX), revision=swap.revision - 1)
    await etcd.delete_if(b"/cache-test/x", swap.revision)


async def test_leases_are_shared_for_a_while(etcd: EtcdClient) -> None:
    time = 0.0
    leases = ObjectLeases(etcd, 3600, lambda: time)
    first = await leases.lease()
    assert first == await leases.lease()
    time = 61.0
    assert await leases.lease() != first


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.4.31", True),
        ("3.4.30", False),
        ("3.5.1", False),
        ("3.5.13", True),
        ("3.5.13-rc.1", False),
        ("3.6.14", True),
        ("4.0.0", True),
        ("unknown", False),
        ("3.6", False),
    ],
)
def test_which_stores_report_progress(version: str, expected: bool) -> None:
    assert reports_progress(version) is expected


@pytest.fixture
def short_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "MAX_PENDING_EVENTS", 20)


def _silent_watch(server: ThreadedApiServer, path: str) -> ssl.SSLSocket:
    """A client that asks for a watch and never reads it."""
    pki = server.pki
    tls = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
    admin = pki.pair("admin")
    tls.load_cert_chain(admin.certificate, admin.key)
    plain = socket.create_connection(("127.0.0.1", server.server.port))
    silent = tls.wrap_socket(plain, server_hostname="127.0.0.1")
    silent.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return silent


@pytest.mark.usefixtures("short_queues")
def test_a_client_that_does_not_read_is_cut_off_alone(
    server: ThreadedApiServer, api: RawApi, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    version = api.get(path).json["metadata"]["resourceVersion"]
    query = f"{path}?watch=1&resourceVersion={version}"
    other = f"{query}&fieldSelector=metadata.name%3Db"
    with raw_api(server) as reader, contextlib.closing(reader.watch(other)) as events:
        silent = _silent_watch(server, query)
        api.post(path, config_map("a"))
        for number in range(100):
            assert api.patch(f"{path}/a", {"data": {"x": f"{number:03}" * 50_000}}).code == 200
        silent.settimeout(SECONDS)
        with pytest.raises(OSError, match=r"reset|closed|EOF"):
            _read_to_the_end(silent)
        silent.close()
        api.post(path, config_map("b"))
        (event,) = islice(events, 1)
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "b")


def _read_to_the_end(silent: ssl.SSLSocket) -> None:
    while silent.recv(65536):
        pass
    raise OSError("closed")
