"""etcdctl for a test's server."""

import pytest

from tests.contract.client import Client
from tests.contract.etcdctl.program import Etcdctl
from tests.contract.targets import Server


@pytest.fixture
def etcdctl(server: Server) -> Etcdctl:
    """etcdctl for the test's server."""
    return Etcdctl(server.endpoint)


@pytest.fixture
def prefix(etcd: Client) -> str:
    """The test's key prefix as etcdctl takes it."""
    return etcd.prefix.decode()
