"""One API server of several is killed under load: nobody is told anything wrong.

`make availability` does it twenty times on each store.
"""

from pathlib import Path

import pytest

from tests.availability.rounds import Run
from tests.support.running_stores import STORES


@pytest.mark.parametrize(("store", "servers"), [("sqlite", 2), ("etcd", 3)])
async def test_a_killed_server_is_not_missed(store: str, servers: int, tmp_path: Path) -> None:
    with STORES[store]() as running:
        async with Run(running.endpoint, tmp_path, servers, seed=1) as run:
            tally = await run.round()
    assert tally.violations == []
    assert tally.acknowledged > 0
    assert tally.resumed > 0
