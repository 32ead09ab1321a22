"""Events: what is written for an event, its repeats, similar ones and floods of them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.event_correlation import EventCorrelator
from control_plane.client.events import QUEUE_LIMIT, EventRecorder
from tests.control_plane.client.hand_clock import RestlessClock
from tests.control_plane.client.list_watch_server import ObjectServer, serving

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"namespace": "ns", "name": "p", "uid": "1", "resourceVersion": "7"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "uid": "2"}}


@asynccontextmanager
async def recording(server: ObjectServer) -> AsyncIterator[EventRecorder]:
    async with serving(server) as client:
        recorder = EventRecorder(client, "kubelet", "node-1", clock=RestlessClock())
        task = asyncio.ensure_future(recorder.run())
        try:
            yield recorder
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def server() -> ObjectServer:
    return ObjectServer()


async def test_event_tells_who_says_what_about_which_object(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        recorder.record(POD, "Warning", "BackOff", "Back-off restarting")
        await recorder.flush()

    (path, event), *others = server.stored.items()
    assert others == []
    assert path.startswith("/api/v1/namespaces/ns/events/p.")
    assert event["involvedObject"]["uid"] == "1"
    assert (event["type"], event["reason"]) == ("Warning", "BackOff")
    assert event["source"] == {"component": "kubelet", "host": "node-1"}
    assert event["count"] == 1
    assert event["firstTimestamp"] == event["lastTimestamp"]


async def test_event_about_a_part_of_an_object_names_the_part(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        for name in ("a", "b"):
            part = POD | {"fieldPath": f"spec.containers{{{name}}}"}
            recorder.record(part, "Normal", "Started", "Container started")
        await recorder.flush()

    found = [event["involvedObject"]["fieldPath"] for event in server.stored.values()]
    assert found == ["spec.containers{a}", "spec.containers{b}"]


async def test_event_about_a_cluster_scoped_object_lies_in_default(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        recorder.record(NODE, "Normal", "Starting", "Starting kubelet")
        await recorder.flush()

    assert next(iter(server.stored)).startswith("/api/v1/namespaces/default/events/n.")


async def test_repeat_is_counted_in_the_same_event(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        for _ in range(3):
            recorder.record(POD, "Normal", "Pulled", "Image pulled")
        await recorder.flush()

    (event,) = server.stored.values()
    assert event["count"] == 3


async def test_repeat_of_a_vanished_event_begins_a_new_one(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        recorder.record(POD, "Normal", "Pulled", "Image pulled")
        await recorder.flush()
        server.stored.clear()
        recorder.record(POD, "Normal", "Pulled", "Image pulled")
        await recorder.flush()

    (event,) = server.stored.values()
    assert event["count"] == 1


async def test_event_with_an_action_keeps_a_series(server: ObjectServer) -> None:
    async with recording(server) as recorder:
        for _ in range(3):
            recorder.record(POD, "Normal", "Scheduled", "Assigned", action="Binding")
        await recorder.flush()

    (event,) = server.stored.values()
    assert event["action"] == "Binding"
    assert event["series"]["count"] == 3
    assert "count" not in event
    assert event["reportingInstance"] == "node-1"


async def test_a_component_without_a_node_names_its_machine(server: ObjectServer) -> None:
    async with serving(server) as client:
        recorder = EventRecorder(client, "default-scheduler")
        task = asyncio.ensure_future(recorder.run())
        recorder.record(POD, "Normal", "Scheduled", "Assigned", action="Binding")
        await recorder.flush()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    (event,) = server.stored.values()
    assert event["reportingInstance"] == f"default-scheduler-{socket.gethostname()}"


async def test_full_queue_drops_events_and_says_so(
    server: ObjectServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(server) as client:
        recorder = EventRecorder(client, "kubelet")
        for number in range(QUEUE_LIMIT + 1):
            recorder.record(POD, "Normal", "Reason", str(number))

    assert "event_dropped" in caplog.text


async def test_unreachable_server_is_tried_twelve_times_then_the_event_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = RestlessClock()
    async with ApiClient(ClientConfig("http://127.0.0.1:1")) as client:
        recorder = EventRecorder(client, "kubelet", clock=clock)
        task = asyncio.ensure_future(recorder.run())
        recorder.record(POD, "Normal", "Pulled", "Image pulled")
        await recorder.flush()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert clock.sleeps == [10.0] * 12
    assert "event_lost" in caplog.text


def event(message: str, reason: str = "Failed") -> dict[str, Any]:
    return {
        "metadata": {"name": f"p.{message}", "namespace": "ns"},
        "involvedObject": {"kind": "Pod", "name": "p", "uid": "1"},
        "source": {"component": "kubelet"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 1,
        "lastTimestamp": "2026-01-02T03:04:05Z",
    }


def test_flood_about_one_object_is_cut_to_25_then_one_in_five_minutes() -> None:
    correlator = EventCorrelator()

    passed = [correlator.correlate(event("m"), 0.0) for _ in range(40)]

    assert sum(one is not None for one in passed) == 25
    assert correlator.correlate(event("m"), 299.0) is None
    assert correlator.correlate(event("m"), 301.0) is not None


def test_tenth_different_message_is_combined() -> None:
    correlator = EventCorrelator()

    written = [correlator.correlate(event(f"message {n}"), float(n)) for n in range(12)]

    messages = [one[1]["message"] for one in written if one is not None]
    assert messages[8] == "message 8"
    assert messages[9] == "(combined from similar events): message 9"
    keys = [one[0] for one in written if one is not None]
    assert keys[9] == keys[10] == keys[11] != keys[8]


def test_messages_long_ago_do_not_combine() -> None:
    correlator = EventCorrelator()
    for number in range(9):
        correlator.correlate(event(f"message {number}"), 0.0)

    later = correlator.correlate(event("message 9"), 601.0)

    assert later is not None
    assert later[1]["message"] == "message 9"
