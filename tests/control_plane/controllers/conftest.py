"""One store and one PKI for all tests of the controllers; an API server and controllers for each.

They ask them over a real etcd; with `--every-target` over our datastore on SQLite and PostgreSQL,
too.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.control_plane.controllers.stage import Stage, staged
from tests.support.running_stores import STORES, Store
from tests.support.stores import leave_out_others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    leave_out_others(items, Path(__file__).parent, "controllers_store", first="etcd")


@pytest.fixture(scope="session", params=list(STORES))
def controllers_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with STORES[request.param]() as running:
        yield running


@pytest.fixture
async def stage(controllers_store: Store, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(controllers_store.endpoint, tmp_path) as stage:
        yield stage
