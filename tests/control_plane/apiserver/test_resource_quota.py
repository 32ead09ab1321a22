"""ResourceQuota admission: what is charged, what is refused, and that many at once stay within."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from control_plane.apiserver.admission import quota_reservations
from control_plane.apiserver.admission.quota_reservations import QuotaReservations
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import Object, config_map, pod
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

CREATES = 500
CLIENTS = 8


def quota_in(api: RawApi, namespace: str, name: str = "q", **hard: str) -> str:
    """A quota with nothing used, as its controller leaves it; returns its path."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    amounts = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
    made = api.post(path, {"metadata": {"name": name}, "spec": {"hard": amounts}}).json
    made["status"] = {"hard": amounts, "used": dict.fromkeys(amounts, "0")}
    assert api.put(f"{path}/{name}/status", made).code == 200
    return f"{path}/{name}"


def used(api: RawApi, quota: str) -> Object:
    found: Object = api.get(quota).json["status"]["used"]
    return found


def requesting(name: str, **requests: str) -> Object:
    body = pod(name)
    body["spec"]["containers"][0]["resources"] = {"requests": requests}
    return body


@pytest.fixture
def others(
    server: ThreadedApiServer, store: Etcd | Datastore, tmp_path: Path
) -> Iterator[list[RawApi]]:
    """Clients of two servers on one store, several of each."""
    with ExitStack() as stack:
        second = stack.enter_context(ThreadedApiServer(store.endpoint, tmp_path))
        servers = [server, second] * (CLIENTS // 2)
        yield [stack.enter_context(raw_api(one)) for one in servers]


def created_at_once(clients: list[RawApi], namespace: str, count: int, names: int) -> Counter[int]:
    """How so many creates of pods end, of so many names."""
    path = f"/api/v1/namespaces/{namespace}/pods"

    def create(number: int) -> int:
        client = clients[number % len(clients)]
        return client.post(path, requesting(f"p{number % names}", cpu="500m")).code

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(create, range(count)))


@pytest.mark.every_store
def test_500_parallel_creates_over_two_servers_stay_within_the_quota_and_charge_no_more(
    api: RawApi, others: list[RawApi], namespace: str
) -> None:
    quota = quota_in(api, namespace, pods="120", requests_cpu="60")
    codes = created_at_once(others, namespace, CREATES, names=400)
    stored = len(api.get(f"/api/v1/namespaces/{namespace}/pods").json["items"])
    assert codes[201] == stored == 120, codes
    assert set(codes) <= {201, 403, 409}
    assert used(api, quota) == {"pods": "120", "requests.cpu": "60"}


def test_parallel_creates_of_the_same_names_leave_no_charge_for_those_that_came_too_late(
    api: RawApi, others: list[RawApi], namespace: str
) -> None:
    quota = quota_in(api, namespace, pods="100", requests_cpu="100")
    codes = created_at_once(others, namespace, 80, names=10)
    assert codes == {201: 10, 409: 70}
    assert used(api, quota) == {"pods": "10", "requests.cpu": "5"}


@pytest.mark.every_store
def test_counting_while_others_create_lets_nobody_exceed_the_quota(
    api: RawApi, others: list[RawApi], namespace: str
) -> None:
    quota = quota_in(api, namespace, pods="60")
    path = f"/api/v1/namespaces/{namespace}/pods"
    counted, ended = Counter[int](), threading.Event()

    def create(number: int) -> int:
        return others[number % len(others)].post(path, requesting(f"p{number}")).code

    def count() -> None:
        """Write what is used as its controller does: read the quota, list, write."""
        while not ended.is_set():
            found = api.get(quota).json
            found["status"]["used"] = {"pods": str(len(api.get(path).json["items"]))}
            counted[api.put(f"{quota}/status", found).code] += 1

    counting = threading.Thread(target=count)
    counting.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            codes = Counter(pool.map(create, range(150)))
    finally:
        ended.set()
        counting.join()
    assert codes == {201: 60, 403: 90}
    assert set(counted) <= {200, 409}
    assert used(api, quota) == {"pods": "60"}


@pytest.mark.every_store
def test_nobody_counts_what_a_server_has_charged_and_not_yet_stored(
    api: RawApi, store: Etcd | Datastore, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_reservations, "LEASE_SECONDS", 600)
    quota = quota_in(api, namespace, pods="5")
    found = api.get(quota).json
    found["metadata"].pop("resourceVersion")

    async def reserved() -> int:
        """Count while another server has a reservation."""
        etcd = EtcdClient(EtcdEndpoints((store.endpoint,)))
        try:
            reservations = QuotaReservations(etcd, "/registry", time.monotonic)
            made = await etcd.change(await reservations.made(namespace))
            answer = await asyncio.to_thread(api.put, f"{quota}/status", found)
            await reservations.end(namespace, made.revision)
            return answer.code
        finally:
            await etcd.close()

    assert asyncio.run(reserved()) == 409
    assert api.put(f"{quota}/status", found).code == 200


def test_what_does_not_fit_is_refused_in_upstreams_words(api: RawApi, namespace: str) -> None:
    quota_in(api, namespace, pods="5", requests_cpu="1", memory="100Mi")
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert api.post(path, requesting("a", cpu="600m", memory="60Mi")).code == 201
    refused = api.post(path, requesting("b", cpu="600m", memory="60Mi"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (
        'pods "b" is forbidden: exceeded quota: q, '
        "requested: memory=60Mi,requests.cpu=600m, used: memory=60Mi,requests.cpu=600m, "
        "limited: memory=100Mi,requests.cpu=1"
    )
    silent = api.post(path, pod("c"))
    assert silent.message == (
        'pods "c" is forbidden: failed quota: q: must specify memory for: c; requests.cpu for: c'
    )


def test_what_is_not_stored_is_not_charged(api: RawApi, namespace: str) -> None:
    quota = quota_in(api, namespace, count__configmaps="3")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    assert api.post(path, config_map("a")).code == 201
    assert api.post(path, config_map("a")).code == 409
    assert api.post(f"{path}?dryRun=All", config_map("b")).code == 201
    assert used(api, quota) == {"count/configmaps": "1"}


def test_a_change_is_charged_by_what_it_adds(api: RawApi, namespace: str) -> None:
    quota = quota_in(api, namespace, services_nodeports="2", services="5")
    path = f"/api/v1/namespaces/{namespace}/services"
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    api.post(path, {"metadata": {"name": "s"}, "spec": {"ports": ports}})
    assert used(api, quota) == {"services": "1", "services.nodeports": "0"}
    assert api.patch(f"{path}/s", {"spec": {"type": "NodePort"}}).code == 200
    assert used(api, quota) == {"services": "1", "services.nodeports": "2"}
    more = {"spec": {"ports": [*ports, {"name": "c", "port": 82}]}}
    refused = api.patch(f"{path}/s", more)
    assert "exceeded quota: q, requested: services.nodeports=1" in refused.message


def test_a_quota_without_usage_refuses(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    hard = {"count/secrets": "1"}
    made = api.post(path, {"metadata": {"name": "q"}, "spec": {"hard": hard}}).json
    made["status"] = {"hard": hard, "used": {}}
    api.put(f"{path}/q/status", made)
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    answer = api.post(secrets, {"metadata": {"name": "s"}})
    assert answer.message == (
        'secrets "s" is forbidden: status unknown for quota: q, resources: count/secrets'
    )
