"""What a cluster has once its first API server is ready, and who is among the living servers."""

import datetime
import time
from pathlib import Path
from typing import Any

import pytest

from control_plane.apiserver import bootstrap
from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.authority_bundle import combined
from control_plane.apiserver.bootstrap_objects import (
    gains_a_family,
    identity_lease,
    is_unjudged,
    server_identity,
    with_ready_condition,
)
from control_plane.apiserver.identity_leases import expired
from control_plane.apiserver.trusted_callers import TrustedCallers, combined_data
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

ENDPOINTS = "/api/v1/namespaces/default/endpoints/kubernetes"
SLICE = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
AUTHENTICATION = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
SECONDS = 40.0
NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


class Pair:
    """Two servers over one prefix of a store, with addresses that mean something."""

    def __init__(self, store: Etcd | Datastore, directory: Path) -> None:
        self._endpoint, self._directory = store.endpoint, directory

    def server(self, address: str) -> ThreadedApiServer:
        return ThreadedApiServer(
            self._endpoint,
            self._directory / address,
            etcd_prefix=f"/pair-{self._directory.name}",
            advertise_address=address,
        )


@pytest.fixture
def pair(store: Etcd | Datastore, tmp_path: Path) -> Pair:
    return Pair(store, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default",
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/kube-public",
        "/api/v1/namespaces/kube-node-lease",
        "/api/v1/namespaces/default/services/kubernetes",
        "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
        "/api/v1/namespaces/kube-system/configmaps/"
        "kube-apiserver-legacy-service-account-token-tracking",
        "/apis/networking.k8s.io/v1/servicecidrs/kubernetes",
        "/apis/networking.k8s.io/v1/ipaddresses/10.96.0.1",
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
        "/apis/scheduling.k8s.io/v1/priorityclasses/system-cluster-critical",
    ],
)
def test_first_objects_are_there_when_the_server_is_ready(api: RawApi, path: str) -> None:
    assert api.get(path).code == 200


def test_the_authentication_config_map_has_the_clients_authority(
    api: RawApi, server: ThreadedApiServer
) -> None:
    """And those of other servers on the store, which may have other files."""
    data = api.get(AUTHENTICATION).json["data"]
    authority = server.pki.pair("ca").certificate.read_text()
    proxies = server.pki.front_proxy("ca").certificate.read_text()
    assert authority in data.pop("client-ca-file")
    assert proxies in data.pop("requestheader-client-ca-file")
    assert data == {
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
        "requestheader-group-headers": '["X-Remote-Group"]',
        "requestheader-uid-headers": '["X-Remote-Uid"]',
        "requestheader-username-headers": '["X-Remote-User"]',
    }


def test_servers_add_to_whom_others_believe(server: ThreadedApiServer) -> None:
    pki, now = server.pki, datetime.datetime.now(datetime.UTC)
    users, proxy_ca = (
        pair.certificate.read_text() for pair in (pki.pair("ca"), pki.front_proxy("ca"))
    )
    alone = combined_data({}, TrustedCallers(users), now)
    assert alone == {"client-ca-file": users}
    headers = RequestHeaders(pki.front_proxy("ca").certificate, ("b",), username=("X-User",))
    own = TrustedCallers(users, headers, proxy_ca)
    both = combined_data(alone, own, now)
    assert both["requestheader-client-ca-file"] == proxy_ca
    assert both["requestheader-allowed-names"] == '["b"]'
    before = {
        **both,
        "requestheader-allowed-names": '["a","b"]',
        "requestheader-username-headers": "rubbish",
        "requestheader-group-headers": '{"a":1}',
    }
    after = combined_data(before, own, now)
    assert after["requestheader-allowed-names"] == '["a","b"]'
    assert after["requestheader-username-headers"] == '["X-User"]'
    assert after["requestheader-group-headers"] == '["X-Remote-Group"]'
    assert combined_data(after, TrustedCallers(users), now) == after
    assert combined_data(after, own, now + datetime.timedelta(days=40_000)) == {}


def test_authorities_are_added_once_and_until_they_expire(server: ThreadedApiServer) -> None:
    own = server.pki.pair("ca").certificate.read_text()
    other = server.pki.pair("apiserver").certificate.read_text()
    now = datetime.datetime.now(datetime.UTC)
    assert combined("", own, now) == own
    assert combined("nothing", own, now) == own
    assert combined(other, own, now) == other + own
    assert combined(other + own, own, now) == other + own
    assert combined(other + own, own, now + datetime.timedelta(days=40_000)) == ""


def test_a_server_has_an_identity_lease(api: RawApi) -> None:
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
    found = api.get(f"{path}?labelSelector=apiserver.kubernetes.io/identity=kube-apiserver").json
    (lease,) = found["items"]
    name = lease["metadata"]["name"]
    assert lease["spec"]["holderIdentity"].startswith(f"{name}_")
    assert lease["spec"]["leaseDurationSeconds"] == 3600


def test_endpoints_are_the_servers_that_live(pair: Pair) -> None:
    def addresses(api: RawApi) -> list[str]:
        subsets = api.get(ENDPOINTS).json["subsets"]
        slices = api.get(SLICE).json["endpoints"]
        found = [each["ip"] for each in subsets[0]["addresses"]]
        assert [each["addresses"][0] for each in slices] == found
        return found

    with pair.server("10.0.0.1") as first, raw_api(first) as api:
        assert addresses(api) == ["10.0.0.1"]
        with pair.server("10.0.0.2"):
            assert addresses(api) == ["10.0.0.1", "10.0.0.2"]
        assert addresses(api) == ["10.0.0.1"]


def test_what_was_deleted_comes_back(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROUND_SECONDS", 0.1)
    paths = (SLICE, AUTHENTICATION)
    with pair.server("10.0.0.1") as server, raw_api(server) as api:
        for path in paths:
            assert api.delete(path).code == 200
        deadline = time.monotonic() + SECONDS
        while any(api.get(path).code != 200 for path in paths):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_name_of_a_server_is_that_of_its_host() -> None:
    name = server_identity("node-1")
    assert name == server_identity("node-1") != server_identity("node-2")
    assert len(name) == len("apiserver-") + 26
    assert name == name.lower()


def _service_cidr(ready: str = "", *ranges: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}] if ready else []
    return {
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": list(ranges or ("10.0.0.0/24",))},
        "status": {"conditions": conditions},
    }


def test_the_default_service_cidr_is_judged_once() -> None:
    own = ["10.0.0.0/24"]
    assert is_unjudged(_service_cidr(), own)
    assert is_unjudged(_service_cidr("Unknown"), own)
    assert not is_unjudged(_service_cidr("True"), own)
    assert not is_unjudged(_service_cidr("False"), own)
    assert not is_unjudged(_service_cidr("", "10.1.0.0/24"), own)
    assert not is_unjudged(with_ready_condition(_service_cidr(), "now"), own)


def test_the_default_service_cidr_gains_its_second_family_only() -> None:
    both = ["10.0.0.0/24", "fd00::/112"]
    assert gains_a_family(_service_cidr(), both)
    assert not gains_a_family(_service_cidr("", *both), both)
    assert not gains_a_family(_service_cidr("", "10.1.0.0/24"), both)
    assert not gains_a_family(_service_cidr(), both[:1])


def test_identity_leases_of_servers_that_are_gone_run_out() -> None:
    def lease(renewed: str) -> dict[str, Any]:
        return identity_lease(renewed, "holder", renewed)

    live, gone = lease("2026-01-01T11:00:01.000000Z"), lease("2026-01-01T10:59:59.000000Z")
    other = {"metadata": {"name": "x"}, "spec": {}}
    assert list(expired([live, gone, other], NOW)) == [gone]
