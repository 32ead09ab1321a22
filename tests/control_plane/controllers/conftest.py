"""One etcd and one PKI for all tests of the controllers; an API server and controllers for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.control_plane.controllers.stage import Stage, staged
from tests.support.etcd import Etcd


@pytest.fixture(scope="session")
def controllers_etcd() -> Iterator[Etcd]:
    etcd = Etcd()
    yield etcd
    etcd.stop()


@pytest.fixture
async def stage(controllers_etcd: Etcd, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(controllers_etcd.endpoint, tmp_path) as stage:
        yield stage
