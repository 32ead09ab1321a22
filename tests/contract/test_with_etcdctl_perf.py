"""etcdctl check perf. It has been running since the target's first test, hence this late file."""

import asyncio

import pytest

from tests.contract.client import Client
from tests.contract.conftest import PerfRun

pytestmark = [pytest.mark.any_backend, pytest.mark.seldom_judged]


async def test_check_perf(perf_run: PerfRun) -> None:
    """Whether the machine is fast enough is not asked here, and so not which of them it prints."""
    said = await asyncio.to_thread(perf_run.check.said)

    assert "Throughput" in said, said
    assert "Slowest request" in said
    assert "Stddev" in said
    assert said.split()[-1] in ("PASS", "FAIL")
    async with Client(perf_run.server.address) as etcd:
        left = await etcd.range(b"\0", b"\0", count_only=True)
        assert left.count == 0
        assert left.header.revision > 1_000
