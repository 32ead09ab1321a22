"""Clusters for the end-to-end tests: one for each store, with real containers.

Tests marked `every_store` are asked of a cluster on PostgreSQL and one on etcd too.
"""

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stores import STORES, Store
from tests.support.cluster import Cluster
from tests.support.images import busybox_image
from tests.support.servers import missing_server
from tests.support.stores import leave_out_others

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out_others(items, Path(__file__).parent, "pair", "fragile")


@pytest.fixture(scope="session")
def image(docker_engine: None) -> str:
    """The image that the pods of these tests run."""
    return busybox_image()


@pytest.fixture(scope="session", params=list(STORES))
def pair(request: pytest.FixtureRequest, image: str) -> Iterator[tuple[Cluster, Store]]:
    """A running cluster and its store, for all tests of that store."""
    if shutil.which("docker") is None:
        missing_server("the docker command is missing")
    directory = Path(tempfile.mkdtemp(prefix=f"tapir-e2e-{request.param}-"))
    with (
        STORES[request.param](directory) as store,
        Cluster(directory / "data", store.flags) as running,
    ):
        yield running, store
    remove_containers(running)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def cluster(pair: tuple[Cluster, Store]) -> Cluster:
    """A running cluster shared by the tests of one store; each test has its own namespace."""
    return pair[0]


@pytest.fixture
def store(pair: tuple[Cluster, Store]) -> Store:
    """The store under `cluster`."""
    return pair[1]


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the test's own, with its default service account."""
    name = f"test-{next(_numbers)}"
    cluster.kubectl("create", "namespace", name)
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=90s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def remove_containers(cluster: Cluster) -> None:
    """Remove what a finished cluster's node left running."""
    owner = f"dev.tapir.kubelet.root-dir={cluster.data_dir / 'kubelet'}"
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label={owner}"],
        capture_output=True,
        text=True,
        check=True,
    )
    if listed.stdout.split():
        subprocess.run(
            ["docker", "rm", "-f", *listed.stdout.split()], capture_output=True, check=True
        )
