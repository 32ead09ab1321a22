"""Watch: a silent stream with keep-alive pings stays."""

import asyncio

import pytest

from tests.contract.client import Client
from tests.contract.idle_watch import KEY, IdleWatch

pytestmark = [pytest.mark.every_front, pytest.mark.any_backend]


async def test_pings_every_5_seconds_are_welcome_on_a_silent_stream(
    etcd: Client, idle_watch: IdleWatch
) -> None:
    await asyncio.sleep(max(0, idle_watch.seconds_to_go))

    await etcd.put(KEY, b"still there")

    response = await asyncio.wait_for(asyncio.to_thread(idle_watch.next), 15)
    assert response.events[0].kv.value == b"still there"
