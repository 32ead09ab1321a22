"""Fixtures and rules shared by all tests.

A test marked `docker` gets a Docker Engine. A server that is missing skips its tests visibly, and
fails them when `CI=true`.
"""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.docker_engine import DockerEngine
from tests.support.groups import Groups, put_large_groups_first
from tests.support.servers import missing_server
from tests.support.stores import MARKER

# A busy machine is slow; that is no failure.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-target",
        action="store_true",
        help="ask every front, backend and store every test, also what it has no say in",
    )
    parser.addoption(
        "--through-pgbouncer",
        action="store_true",
        help="put PgBouncer in transaction mode before the PostgreSQL of the contract tests",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Tests in the background of a shell have SIGINT ignored, and would hand that down to clusters.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "docker: needs a Docker Engine")
    config.addinivalue_line(
        "markers", "conformance(*names): does what upstream's conformance tests of these names do"
    )
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(trylast=True)  # pytest itself reorders what has parameters
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    put_large_groups_first(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Say which tests a worker takes together."""
    return Groups(config, log)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[None]:
    engine = DockerEngine()
    problem = engine.start()
    if problem:
        missing_server(problem)
    yield
    engine.stop()


@pytest.fixture(autouse=True)
def _engine_for_marked_tests(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("docker"):
        request.getfixturevalue("docker_engine")
