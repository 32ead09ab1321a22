"""One sandbox at a time joins or leaves a network, where the engine needs that."""

import asyncio

import pytest

from node.kubelet.runtimes.network_turns import NetworkTurns


async def most_at_once(turns: NetworkTurns) -> int:
    """How many of three actions that take turns are under way together at most."""
    under_way: list[int] = []
    most = 0

    async def act(number: int) -> None:
        nonlocal most
        async with turns.one():
            under_way.append(number)
            most = max(most, len(under_way))
            for _ in range(5):
                await asyncio.sleep(0)
            under_way.remove(number)

    await asyncio.gather(*map(act, range(3)))
    return most


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "19.03.15", "1.13.1", "20.10.5-ce"])
async def test_engines_that_hang_get_one_change_at_a_time(version: str) -> None:
    assert await most_at_once(NetworkTurns(version)) == 1


@pytest.mark.parametrize("version", ["23.0.0", "26.1.5+dfsg1", "28.0", "master", ""])
async def test_other_engines_get_all_at_once(version: str) -> None:
    assert await most_at_once(NetworkTurns(version)) == 3
