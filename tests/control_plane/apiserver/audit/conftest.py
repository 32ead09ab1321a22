"""An API server that records what is asked of it, shared by the tests of this directory."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from control_plane.apiserver.audit.backends import Batching, Truncation
from control_plane.apiserver.audit.options import AuditOptions, Delivery
from tests.control_plane.apiserver.audit.recording import Log, Receiver, kubeconfig
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.raw_api import RawApi

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitManagedFields": True,
    "rules": [
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "*/token"]}]},
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "None", "nonResourceURLs": ["/healthz*"]},
        {"level": "RequestResponse", "verbs": ["create", "update", "patch", "delete"]},
        {"level": "Request", "verbs": ["list"], "omitStages": ["RequestReceived"]},
        {"level": "Metadata"},
    ],
}
MAX_SECONDS, OLD_ISSUER = 7200, "https://old.example.com"


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()


@pytest.fixture(scope="package")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audited")


@pytest.fixture(scope="package")
def server(directory: Path, receiver: Receiver) -> Iterator[ThreadedApiServer]:
    policy, webhook = directory / "policy.yaml", directory / "webhook.yaml"
    policy.write_text(yaml.safe_dump(POLICY))
    webhook.write_text(kubeconfig(receiver.url))
    batching = Batching(10_000, 400, 0.2)
    options = AuditOptions(
        policy,
        str(directory / "audit.log"),
        webhook=webhook,
        webhook_backoff_seconds=0.1,
        webhook_delivery=Delivery(batching, is_strict=False, truncation=Truncation()),
    )
    with Datastore() as store:
        running = ThreadedApiServer(store.endpoint, directory, audit=options)
        config = running.server.config
        accounts = dataclasses.replace(
            config.service_accounts, max_seconds=MAX_SECONDS, issuers=(OLD_ISSUER,)
        )
        running.server.config = dataclasses.replace(config, service_accounts=accounts)
        with running:
            yield running


@pytest.fixture
def api(server: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(server) as client:
        yield client


@pytest.fixture
def log(directory: Path) -> Log:
    return Log(directory / "audit.log")
