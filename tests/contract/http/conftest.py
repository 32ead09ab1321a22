"""HTTP is asked of one backend of ours and of a real etcd: what is behind the methods is tested
over gRPC, on all of them.
"""

import itertools
from collections.abc import Iterator

import pytest

from tests.contract.http.web import Ports, Web
from tests.contract.targets import REAL_ETCD, Launcher, Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=["sqlite-native", REAL_ETCD])
def target(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def http_server(target: str, launcher: Launcher) -> Iterator[tuple[Server, Ports]]:
    """The server of the target that most tests share, and where it serves HTTP."""
    ports = Ports.chosen()
    server = launcher.start(target, ports.flags)
    ports.wait()
    yield server, ports
    server.stop()


@pytest.fixture
def web(http_server: tuple[Server, Ports]) -> Web:
    return http_server[1].web


@pytest.fixture
def metrics_web(http_server: tuple[Server, Ports]) -> Web:
    return http_server[1].metrics_web


@pytest.fixture
def own(request: pytest.FixtureRequest, target: str, launcher: Launcher) -> Iterator[Ports]:
    """A server for one test alone, with the flags of its marker `own_server`."""
    marker = request.node.get_closest_marker("own_server")
    ports = Ports.chosen()
    server = launcher.start(target, [*ports.flags, *(marker.args if marker else ())])
    ports.wait()
    yield ports
    server.stop()


@pytest.fixture
def grpc_address(http_server: tuple[Server, Ports]) -> str:
    """Where the same server speaks gRPC, as host:port."""
    return http_server[0].address


@pytest.fixture
def key() -> bytes:
    """A key that no other test uses."""
    return b"/http/%06d" % next(_numbers)
