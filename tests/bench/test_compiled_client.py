"""The load program does each of its works on our datastore, and fails when a request does."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bench.compiled_client import run_loader
from tests.bench.datastores import revision_of
from tests.support.datastore import Datastore

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="needs Go to build the program")
SMALL: dict[str, Any] = {"keys": 200, "value_bytes": 64, "warm_up": 0}


@pytest.fixture(scope="module")
def server() -> Iterator[Datastore]:
    with Datastore() as running:
        run_loader(running, "fill", 0, **SMALL)
        yield running


@pytest.mark.parametrize(
    ("work", "flags"),
    [
        ("put", {"in_flight": 8, "connections": 2}),
        ("txn", {"in_flight": 8, "connections": 2}),
        ("watch", {"watchers": 10, "connections": 2}),
        ("latency", {"connections": 2}),
    ],
)
def test_work_that_writes(server: Datastore, work: str, flags: dict[str, Any]) -> None:
    before = revision_of(server)
    load = run_loader(server, work, 0.3, **SMALL, **flags)
    assert revision_of(server) > before
    assert load.p99_ms >= load.p50_ms


@pytest.mark.parametrize(
    ("work", "flags"),
    [("range", {}), ("page", {"limit": 50}), ("page", {"limit": 50, "pages": 1})],
)
def test_work_that_reads(server: Datastore, work: str, flags: dict[str, Any]) -> None:
    load = run_loader(server, work, 0.3, **SMALL, **flags)
    assert load.p99_ms >= load.p50_ms


def test_leases_are_kept_alive(server: Datastore) -> None:
    """It fails when one of them is lost, which without renewal they would be."""
    run_loader(server, "keepalive", 6, leases=20, ttl=5, warm_up=0)


def test_a_failed_request_is_told(server: Datastore) -> None:
    with pytest.raises(RuntimeError, match="fill the store first"):
        run_loader(server, "range", 0.3, **{**SMALL, "prefix": "/nothing/"})
