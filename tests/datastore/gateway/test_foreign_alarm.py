"""An alarm that another version raised is told by its number: nothing fails for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from datastore.gateway.health import Health
from datastore.gateway.metrics import Metrics
from datastore.mvcc.model import Alarm
from datastore.mvcc.requests import RaiseAlarm
from datastore.rpc import maintenance
from datastore.rpc.answering import Edge, Unary
from proto.etcd import rpc_pb2 as pb
from tests.datastore.opened import opened


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    """The services over a store with such an alarm."""
    async with opened(tmp_path / "store.db") as store:
        await store.writer.submit(RaiseAlarm(Alarm(5, 7)))
        yield Edge(store, max_request_bytes=1 << 20)


async def test_status(edge: Edge) -> None:
    status = maintenance.METHODS["Status"]
    assert isinstance(status, Unary)

    assert (await status.call(edge, pb.StatusRequest())).errors == ["memberID:5 alarm:7 "]


async def test_health_and_metrics(edge: Edge) -> None:
    health = Health(edge.store)

    assert orjson.loads((await health.health(b"")).body)["reason"] == "ALARM UNKNOWN"
    text = (await Metrics(edge, health, extensive=False).scrape()).body.decode()
    assert 'etcd_debugging_server_alarms{alarm_type="7",server_id="5"} 1.0' in text
