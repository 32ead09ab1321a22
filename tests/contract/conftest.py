"""Each contract test runs once against every backend of ours and once against a real etcd.

sqlite-native and the real etcd are asked everything (but of the etcd no loads: `seldom_judged`).
The other front is asked what a front has a say in (`every_front`: streams, metadata, sizes, how
refusals and answers go out), PostgreSQL what a backend has (all but `any_backend`), MariaDB what of
that the shared server can answer, and not the tests of auth, etcdctl and HTTP; `--every-target`
asks all of them everything.

One server per target serves the whole session. Every test has a key prefix of its own, higher
in byte order than those of the tests before it, so that a range up to `\\0` from a test's own
key meets no other test's keys. Revisions are counted from the first one a test sees.
`own_server` gives a test an empty store and no prefix. After each test, and at the end of each
server, the store has to be sound (`tapir check`).
"""

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contract.client import Client
from tests.contract.etcdctl.perf import PerfCheck
from tests.contract.idle_watch import IdleWatch
from tests.contract.targets import (
    OTHER_BACKEND,
    OTHER_FRONT,
    REAL_ETCD,
    TARGETS,
    THIRD_BACKEND,
    Launcher,
    Server,
)
from tests.support.etcd import etcd_binary, parse_version
from tests.support.soundness import Soundness

_MARKERS = (
    "own_server(*flags): an empty store for this test alone, started with these flags",
    "etcd_since(version): real etcd behaves so since this version; skipped on an older oracle",
    "ours_only(reason): not asked of a real etcd",
    "every_front: a front of ours can answer it wrongly; asked of sqlite-grpcio too",
    "seldom_judged: a load that a real etcd has borne; asked of it by --every-target only",
    "any_backend: hardly the backend's matter; asked of other backends by --every-target only",
)
HERE = Path(__file__).parent
_prefixes = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is not asked of a real etcd, and build the oracle before any test's clock runs."""
    if items and not items[0].config.getoption("every_target"):
        _deselect(items)
    asked_of_etcd = [item for item in items if _target_of(item) == REAL_ETCD]
    for item in asked_of_etcd:
        ours_only = item.get_closest_marker("ours_only")
        if ours_only is not None:
            item.add_marker(pytest.mark.skip(reason=f"ours only: {ours_only.args[0]}"))
    if asked_of_etcd:
        _find_oracle()


def _deselect(items: list[pytest.Item]) -> None:
    """Take out what a target has no say in."""
    left_out = [item for item in items if not _concerns_target(item)]
    if left_out:
        left_out[0].config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _concerns_target(item)]


def _concerns_target(item: pytest.Item) -> bool:
    target = _target_of(item)
    if target == REAL_ETCD:
        return item.get_closest_marker("seldom_judged") is None
    if target == OTHER_FRONT:
        return item.get_closest_marker("every_front") is not None
    if target == THIRD_BACKEND and _asks_a_server_of_its_own(item):
        return False
    return (
        target not in (OTHER_BACKEND, THIRD_BACKEND)
        or item.get_closest_marker("any_backend") is None
    )


def _asks_a_server_of_its_own(item: pytest.Item) -> bool:
    """Say whether it costs a store: such tests ask about servers, and etcdctl's about clients."""
    return item.get_closest_marker("own_server") is not None or item.path.parent != HERE


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which etcd judged."""
    if _oracle:
        terminalreporter.write_line(f"contract oracle: {_oracle[0]}")


def _target_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("target") if callspec is not None else None


_oracle: list[str] = []


def _find_oracle() -> None:
    try:
        _oracle.append(str(etcd_binary()))
    except (pytest.skip.Exception, pytest.fail.Exception):
        return  # each test that needs it says so


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    """The name of the target: a backend of ours, or real-etcd."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def launcher(pytestconfig: pytest.Config) -> Iterator[Launcher]:
    """Starts servers of any target."""
    launcher = Launcher(pooled=pytestconfig.getoption("through_pgbouncer"))
    yield launcher
    launcher.stop()


@pytest.fixture(scope="session")
def shared_server(target: str, launcher: Launcher) -> Iterator[Server]:
    """The server of the target that most tests share; `idle_watch` pings it from its start."""
    server = launcher.start(target)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def soundness(shared_server: Server) -> Iterator[Soundness]:
    """What judges the shared server's store; the whole of it before the server ends."""
    with Soundness(shared_server) as soundness:
        yield soundness
        soundness.assert_all()


@pytest.fixture(scope="session")
def idle_watch(shared_server: Server) -> Iterator[IdleWatch]:
    """A watch stream that has been pinging since the shared server started."""
    watch = IdleWatch(shared_server.address)
    yield watch
    watch.close()


class PerfRun(NamedTuple):
    """A run of `etcdctl check perf`, and the server that it loads."""

    check: PerfCheck
    server: Server


@pytest.fixture(scope="session")
def perf_run(target: str, launcher: Launcher) -> Iterator[PerfRun]:
    """A run that began with the target's first test, for it takes a minute."""
    started = launcher.start(target)
    check = PerfCheck(started.endpoint)
    yield PerfRun(check, started)
    check.close()
    started.stop()


@pytest.fixture(scope="session")
def early(request: pytest.FixtureRequest, target: str) -> None:
    """Start at a target's first test what a later one awaits, if there is such a one."""
    items = request.session.items
    if any("perf_run" in _fixtures(item) and _target_of(item) == target for item in items):
        request.getfixturevalue("perf_run")


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


@pytest.fixture(autouse=True)
def _oracle_is_new_enough(request: pytest.FixtureRequest) -> None:
    since = request.node.get_closest_marker("etcd_since")
    if since is None or _target_of(request.node) != REAL_ETCD:
        return
    binary = etcd_binary()
    if binary.version < parse_version(since.args[0]):
        pytest.skip(f"needs etcd {since.args[0]} to compare with, this is {binary}")


@pytest.fixture
def server(request: pytest.FixtureRequest, target: str, launcher: Launcher) -> Iterator[Server]:
    """The server this test speaks to: the shared one, or its own if marked `own_server`."""
    own = request.node.get_closest_marker("own_server")
    if own is None:
        request.getfixturevalue("early")
        request.getfixturevalue("idle_watch")
        soundness: Soundness = request.getfixturevalue("soundness")
        yield request.getfixturevalue("shared_server")
        soundness.assert_still()
        return
    started = launcher.start(target, own.args)
    yield started
    try:
        with Soundness(started) as own_soundness:
            own_soundness.assert_all()
    finally:
        started.stop()


@pytest.fixture
async def etcd(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Client]:
    """A client with a key prefix of its own; none on an own server."""
    own = request.node.get_closest_marker("own_server")
    prefix = b"" if own else b"/test/%08d/" % next(_prefixes)
    async with Client(server.address, prefix) as client:
        yield client
        if not own:
            await client.revoke_all()  # or they would end, and write, during a later test
