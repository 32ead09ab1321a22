"""Watches across restarts of the API server: nothing is lost and nothing comes twice."""

import asyncio
from pathlib import Path

import pytest

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, key_of, name_of, resource_version_of
from control_plane.api.resources import CONFIGMAPS
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.informer import Informer
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.ports import free_port

pytestmark = pytest.mark.every_store

NAMES = 8
RESTARTS = 3
WRITES = 30  # between restarts


class Record:
    """What a handler was told of each object, which is checked as it comes."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.changed = asyncio.Event()

    def note(self, event: str, old: Object | None, new: Object | None) -> None:
        obj = new if new is not None else old
        assert obj is not None
        version = int(resource_version_of(obj))
        known = self.versions.get(name_of(obj), 0)
        assert version > known or (event == "delete" and version == known), (event, name_of(obj))
        if event == "update":
            assert old is not None
            assert int(resource_version_of(old)) == known
        self.versions[name_of(obj)] = version
        self.changed.set()


async def write(client: ApiClient, first: int) -> None:
    """Create, change and delete some objects, in turns."""
    for number in range(first, first + WRITES):
        name = f"c{number % NAMES}"
        metadata = {"name": name, "namespace": "default"}
        try:
            if number % 5 == 4:
                await client.delete(CONFIGMAPS, name, "default")
            else:
                patch = {"data": {"n": str(number)}}
                await client.patch(CONFIGMAPS, name, patch, "default")
        except NotFound:
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            await client.create(CONFIGMAPS, made)


async def restart(endpoint: str, directory: Path, port: int, server: ApiServer) -> ApiServer:
    await server.stop()
    return await ApiServer(endpoint, directory, secure_port=port).start()


async def test_an_informer_misses_nothing_while_its_server_restarts(
    store: Etcd | Datastore, tmp_path: Path
) -> None:
    port = free_port()
    watched = await ApiServer(store.endpoint, tmp_path / "a", secure_port=port).start()
    async with ApiServer(store.endpoint, tmp_path / "b") as other:
        reader = ClientConfig.from_kubeconfig(watched.kubeconfig)
        writer = ClientConfig.from_kubeconfig(other.kubeconfig)
        async with ApiClient(reader) as reading, ApiClient(writer) as writing:
            informer, record = Informer(reading, CONFIGMAPS, namespace="default"), Record()
            informer.add_handler(record.note)
            following = asyncio.create_task(informer.run())
            await informer.has_synced.wait()
            for number in range(RESTARTS):
                writes = asyncio.create_task(write(writing, number * WRITES))
                watched = await restart(store.endpoint, tmp_path / "a", port, watched)
                await writes
                await _equal(informer, writing, record.changed)
                await write(writing, number * WRITES)
            await _equal(informer, writing, record.changed)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    await watched.stop()
    assert record.versions


async def _equal(informer: Informer, client: ApiClient, changed: asyncio.Event) -> None:
    """Wait until the informer has what a fresh list has, object by object."""
    listed = await client.list(CONFIGMAPS, "default")
    wanted = {key_of(obj): obj for obj in listed["items"]}
    async with asyncio.timeout(60):
        while {key_of(obj): obj for obj in informer.list()} != wanted:
            changed.clear()
            await changed.wait()
