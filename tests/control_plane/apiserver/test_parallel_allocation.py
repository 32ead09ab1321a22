"""A thousand services at once over two API servers: no address and no port twice, none lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import service
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.raw_api import RawApi

SERVICES = "/api/v1/namespaces/default/services"
IPADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
CREATES = 1000
WITH_NODE_PORT = 3  # every third one


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RawApi, RawApi]]:
    """Clients of two servers that share a store."""
    directories = [tmp_path_factory.mktemp("server") for _ in range(2)]
    with (
        Datastore() as store,
        _server(store, directories[0]) as first,
        _server(store, directories[1]) as second,
        raw_api(first) as one,
        raw_api(second) as other,
    ):
        yield one, other


def _server(store: Datastore, directory: Path) -> ThreadedApiServer:
    return ThreadedApiServer(store.endpoint, directory)


def test_a_thousand_parallel_creates_share_nothing(pair: tuple[RawApi, RawApi]) -> None:
    def create(number: int) -> dict[str, Any]:
        kind = "ClusterIP" if number % WITH_NODE_PORT else "NodePort"
        answer = pair[number % 2].post(SERVICES, service(f"s{number}", type=kind))
        assert answer.code == 201, answer.text
        spec: dict[str, Any] = answer.json["spec"]
        return spec

    with ThreadPoolExecutor(16) as pool:
        specs = list(pool.map(create, range(CREATES)))
    addresses = {spec["clusterIP"] for spec in specs}
    ports = [port["nodePort"] for spec in specs for port in spec["ports"] if "nodePort" in port]
    assert len(addresses) == CREATES
    assert len(set(ports)) == len(ports) == len(range(0, CREATES, WITH_NODE_PORT))
    objects = {item["metadata"]["name"] for item in pair[0].get(IPADDRESSES).json["items"]}
    assert objects == addresses | {"10.96.0.1"}


def test_one_address_for_many_who_ask(pair: tuple[RawApi, RawApi]) -> None:
    def create(number: int) -> int:
        body = service(f"same-{number}", clusterIP="10.96.9.9")
        return pair[number % 2].post(SERVICES, body).code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(create, range(8)))
    assert codes == [201] + [422] * 7


def test_one_name_for_many_who_ask(pair: tuple[RawApi, RawApi]) -> None:
    def create(number: int) -> int:
        return pair[number % 2].post(SERVICES, service("named", type="NodePort")).code

    before = len(pair[0].get(IPADDRESSES).json["items"])
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(create, range(8)))
    assert codes == [201] + [409] * 7
    assert len(pair[0].get(IPADDRESSES).json["items"]) == before + 1
