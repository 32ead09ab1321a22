"""One API server per store for all tests here; each test has a namespace of its own.

They ask an API server over our datastore on SQLite; those marked `every_store` one over a real
etcd, too; with `--every-target` all of them ask both, and one over our datastore on PostgreSQL.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control_plane.apiserver.webhook_peer import WebhookPeer
from tests.control_plane.apiserver.webhook_stage import WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.running_stores import STORES, Store
from tests.support.stores import leave_out_others

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out_others(items, HERE, "store", seldom="postgresql")


@pytest.fixture(scope="session", params=list(STORES))
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with STORES[request.param]() as running:
        yield running


@pytest.fixture(scope="session")
def server(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedApiServer]:
    with ThreadedApiServer(store.endpoint, tmp_path_factory.mktemp("cluster")) as running:
        yield running


@contextmanager
def raw_api(server: ThreadedApiServer, user: str = "admin") -> Iterator[RawApi]:
    pki = server.pki
    pair = pki.pair(user) if user else None
    with RawApi(server.url, pki.pair("ca").certificate, pair) as client:
        yield client


@pytest.fixture
def api(server: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(server) as client:
        yield client


@pytest.fixture
def namespace(api: RawApi) -> str:
    name = f"test-{uuid.uuid4().hex[:8]}"
    assert api.post("/api/v1/namespaces", {"metadata": {"name": name}}).code == 201
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    assert api.post(accounts, {"metadata": {"name": "default"}}).code == 201
    return name


@pytest.fixture(scope="session")
def webhook_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookPeer]:
    with WebhookPeer(tmp_path_factory.mktemp("webhook")) as running:
        yield running


@pytest.fixture
def stage(api: RawApi, webhook_peer: WebhookPeer, namespace: str) -> WebhookStage:
    """Webhooks about the test's namespace; what the peer has got before is forgotten."""
    webhook_peer.forget()
    return WebhookStage(api, webhook_peer, namespace)
