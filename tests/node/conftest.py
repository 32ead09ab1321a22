"""A kubelet beside a real API server on our datastore, for each test that runs whole pods."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CONFIGMAPS,
    NAMESPACES,
    SECRETS,
    SERVICEACCOUNTS,
    Resource,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from node.kubelet.volumes.mounts import mounts_below
from tapir.up.permissions import kubelet_admin_binding
from tests.node.stage import Stage
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore
from tests.support.images import busybox_image

# What controllers make; none runs here.
MADE_BY_CONTROLLERS: tuple[tuple[Resource, str, str, dict[str, Any]], ...] = (
    (SERVICEACCOUNTS, "ServiceAccount", "default", {}),
    (CONFIGMAPS, "ConfigMap", "kube-root-ca.crt", {"data": {"ca.crt": "the CA"}}),
    (CONFIGMAPS, "ConfigMap", "settings", {"data": {"greeting": "hello"}}),
    (SECRETS, "Secret", "passwords", {"stringData": {"db": "hunter2"}}),
)


@pytest.fixture(scope="session", autouse=True)
def no_mounts_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test mounts it unmounts: nobody could remove its directory."""
    yield
    assert mounts_below(tmp_path_factory.getbasetemp()) == []


@pytest.fixture
def runtime_name() -> str:
    """Which runtime the stage runs pods on; tests override it."""
    return "docker"


@pytest.fixture
async def cluster(
    request: pytest.FixtureRequest, tmp_path: Path, runtime_name: str
) -> AsyncIterator[Stage]:
    """An API server and a kubelet that is not running yet."""
    if runtime_name == "docker":
        request.getfixturevalue("docker_engine")
        busybox_image()
    with Datastore() as store:
        async with (
            ApiServer(store.endpoint, tmp_path) as server,
            ApiClient(ClientConfig.from_kubeconfig(server.kubeconfig)) as client,
        ):
            existing = {n["metadata"]["name"] for n in (await client.list(NAMESPACES))["items"]}
            assert {"default", "kube-node-lease"} <= existing
            for resource, kind, name, body in MADE_BY_CONTROLLERS:
                meta = {"name": name, "namespace": "default"}
                await client.create(
                    resource, {"apiVersion": "v1", "kind": kind, "metadata": meta, **body}
                )
            await client.create(CLUSTERROLEBINDINGS, kubelet_admin_binding())
            yield Stage(server, client, tmp_path, container_runtime=runtime_name)


@pytest.fixture
async def stage(cluster: Stage) -> AsyncIterator[Stage]:
    """An API server and a kubelet whose node is Ready."""
    async with cluster:
        yield cluster
