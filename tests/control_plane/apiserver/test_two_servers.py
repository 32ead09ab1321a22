"""Several API servers over one store: interchangeable, and safe with each other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store


@pytest.fixture
def other(server: ThreadedApiServer, store: Etcd | Datastore, tmp_path: Path) -> Iterator[RawApi]:
    """A client of a second server, started after the first."""
    with ThreadedApiServer(store.endpoint, tmp_path) as second, raw_api(second) as client:
        yield client


def test_what_one_writes_the_other_reads_at_once(
    api: RawApi, other: RawApi, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(10):
        api.post(path, config_map(f"c{number}"))
        assert len(other.get(path).json["items"]) == number + 1
        assert other.get(f"{path}/c{number}").code == 200


def test_a_watch_goes_on_at_the_other_server(api: RawApi, other: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    version = api.post(path, config_map("a")).json["metadata"]["resourceVersion"]
    with closing(api.watch(f"{path}?watch=1&resourceVersion={version}")) as events:
        other.post(path, config_map("b"))
        (event,) = islice(events, 1)
    seen = event["object"]["metadata"]["resourceVersion"]
    other.post(path, config_map("c"))
    with closing(other.watch(f"{path}?watch=1&resourceVersion={seen}")) as events:
        (event,) = islice(events, 1)
    assert event["object"]["metadata"]["name"] == "c"


def test_a_version_before_its_time_is_an_error_event(
    api: RawApi, namespace: str, request: pytest.FixtureRequest
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    version = api.post(path, config_map("a")).json["metadata"]["resourceVersion"]
    api.post(path, config_map("b"))
    other: RawApi = request.getfixturevalue("other")
    (event,) = other.watch(f"{path}?watch=1&resourceVersion={version}")
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert event["object"]["message"].startswith(f"too old resource version: {version} (")


def test_conflicting_updates_lose_nothing(api: RawApi, other: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("c"))

    def add(number: int) -> int:
        client = (api, other)[number % 2]
        return client.patch(f"{path}/c", {"data": {f"k{number}": "v"}}).code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(add, range(30))) == {200}
    assert len(api.get(f"{path}/c").json["data"]) == 30
