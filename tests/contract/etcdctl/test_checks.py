"""etcdctl check: a load of its own, and the server's memory by its metrics."""

import asyncio
import http.client
import urllib.request

import pytest

from tests.contract.etcdctl.program import Etcdctl

pytestmark = pytest.mark.any_backend


@pytest.mark.own_server
async def test_check_datascale(etcdctl: Etcdctl) -> None:
    try:
        await asyncio.to_thread(_metrics, etcdctl.endpoint)
    except (OSError, http.client.HTTPException) as error:
        pytest.skip(f"it reads /metrics where it puts, which this server has elsewhere: {error!r}")
    said = await etcdctl.run("check", "datascale", "--load=s", "--auto-compact", "--auto-defrag")

    assert "PASS: Approximate system memory used" in said


def _metrics(endpoint: str) -> bytes:
    with urllib.request.urlopen(f"{endpoint}/metrics", timeout=5) as answer:
        return bytes(answer.read())
