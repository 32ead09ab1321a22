"""One API server per store for all tests here; each test has a namespace of its own.

The tests ask an API server over a real etcd and one over our datastore on SQLite; with
`--every-target` one over our datastore on PostgreSQL, too. A test marked `any_store` hardly asks
the store anything: only SQLite is asked without `--every-target`.
"""

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.control_plane.apiserver.webhook_peer import WebhookPeer
from tests.control_plane.apiserver.webhook_stage import WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.postgres import Postgres
from tests.support.raw_api import RawApi

REAL_ETCD, SQLITE, POSTGRESQL = STORES = ("etcd", "sqlite", "postgresql")
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "any_store: hardly the store's matter")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take out what a store has no say in, unless every target is to be asked."""
    if not items or items[0].config.getoption("every_target"):
        return
    left_out = [item for item in items if item.path.is_relative_to(HERE) and not _is_asked(item)]
    if left_out:
        left_out[0].config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _is_asked(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    name = callspec.params.get("store") if callspec is not None else None
    if name == POSTGRESQL:
        return False
    return name in (None, SQLITE) or item.get_closest_marker("any_store") is None


@pytest.fixture(scope="session", params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Etcd | Datastore]:
    with contextlib.ExitStack() as stack:
        if request.param == REAL_ETCD:
            yield stack.enter_context(Etcd())
        elif request.param == SQLITE:
            yield stack.enter_context(Datastore())
        else:
            yield stack.enter_context(Datastore(stack.enter_context(Postgres()).url("tapir")))


@pytest.fixture(scope="session")
def server(
    store: Etcd | Datastore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreadedApiServer]:
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
