"""A real API server on our datastore for each test that schedules."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control_plane.api.resources import SERVICEACCOUNTS
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from tests.control_plane.scheduler.scheduling import Scheduling
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore

ACCOUNT = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "default", "namespace": "default"},
}


@pytest.fixture
async def scheduling(tmp_path: Path) -> AsyncIterator[Scheduling]:
    with Datastore() as store:
        async with (
            ApiServer(store.endpoint, tmp_path) as server,
            ApiClient(ClientConfig.from_kubeconfig(server.kubeconfig)) as client,
        ):
            await client.create(SERVICEACCOUNTS, ACCOUNT)  # the controller's work, not run here
            async with Scheduling(client, server).watching() as it:
                yield it
