"""The runtime around every controller: what becomes of a reconciliation that fails."""

import asyncio
import logging
from pathlib import Path

import pytest

from control_plane.api.errors import Conflict
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.informer_set import InformerSet
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.runtime import DONE, Controller, ControllerRuntime, Result
from tests.support.apiserver import cluster_pki


@pytest.mark.parametrize(
    ("failure", "level", "has_traceback"),
    [
        (ReconcileError("items remain"), "INFO", False),
        (Conflict("changed meanwhile"), "INFO", False),
        (OSError("no route"), "INFO", False),
        (KeyError("spec"), "WARNING", True),
    ],
)
async def test_a_failure_is_tried_again_and_logged_for_what_it_is(
    failure: Exception,
    level: str,
    has_traceback: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    failures = [failure]
    succeeded = asyncio.Event()

    async def reconcile(_key: str, _cluster: Cluster) -> Result:
        if failures:
            raise failures.pop()
        succeeded.set()
        return DONE

    kubeconfig = cluster_pki(tmp_path, "https://127.0.0.1:1").kubeconfig()
    async with ApiClient(ClientConfig.from_kubeconfig(kubeconfig)) as client:
        controller = Controller("tried", "tried", reconcile)
        runtime = ControllerRuntime(controller, client, InformerSet(client))
        runtime.attach()
        running = asyncio.create_task(runtime.run())
        runtime.cluster.queue.add("a")
        await succeeded.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    [record] = [one for one in caplog.records if "reconcile_failed" in one.message]
    assert record.levelname == level
    assert "controller=tried key=a" in record.message
    assert (record.exc_info is not None) is has_traceback
