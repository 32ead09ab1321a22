"""Watches over WebSockets: one text message for each event, and the same rules as over HTTP."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.control_plane.apiserver.streams_stage import Cluster, streams_stage

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with streams_stage(tmp_path) as stage:
        yield stage


async def event(socket: Any) -> tuple[str, str]:
    found = json.loads(await socket.receive_str())
    return found["type"], found["object"].get("metadata", {}).get("name", "")


async def test_events_are_messages(cluster: Cluster) -> None:
    await cluster.send("POST", CONFIGMAPS, {"metadata": {"name": "a"}})
    url = f"{cluster.server.url}{CONFIGMAPS}?watch=true"
    async with cluster.session.ws_connect(url) as socket:
        assert await event(socket) == ("ADDED", "a")
        await cluster.send("POST", CONFIGMAPS, {"metadata": {"name": "b"}})
        await cluster.send("DELETE", f"{CONFIGMAPS}/a")
        assert await event(socket) == ("ADDED", "b")
        await socket.send_str("whatever a client says is ignored")
        assert await event(socket) == ("DELETED", "a")


async def test_a_watch_ends_when_its_time_is_up(cluster: Cluster) -> None:
    url = f"{cluster.server.url}{CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion=0"
    async with cluster.session.ws_connect(url, protocols=("any",)) as socket:
        assert socket.protocol == "any"
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1000


async def test_what_is_no_watch_is_answered_without_a_websocket(cluster: Cluster) -> None:
    for query, status in (("", 200), ("?watch=true&resourceVersion=x", 422)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await cluster.session.ws_connect(f"{cluster.server.url}{CONFIGMAPS}{query}")
        assert refused.value.status == status
