"""Turns are fair to names, bounded, and not lost by who goes away."""

import asyncio

import pytest

from datastore.errors import TooManyRequests
from datastore.mvcc.auth.turns import Turns


class Room:
    """Turns at one thing at a time, `places` to wait, and who has had his turn."""

    def __init__(self, places: int) -> None:
        self.turns = Turns(1, places)
        self.served: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def comes(self, *names: str) -> None:
        for name in names:
            self.tasks.append(asyncio.create_task(self._take(name)))
        await asyncio.sleep(0)

    async def finish(self) -> list[str]:
        """End the turn at work again and again; return who came after the first."""
        while any(not task.done() for task in self.tasks):
            self.turns.give_back()
            await asyncio.sleep(0)
        return self.served[1:]

    async def _take(self, name: str) -> None:
        await self.turns.take(name)
        self.served.append(name)


async def test_turns_go_round_the_names() -> None:
    room = Room(9)

    await room.comes("root", "root", "root", "root", "ann", "bob", "ann")

    assert await room.finish() == ["root", "ann", "bob", "root", "ann", "root"]


async def test_whoever_floods_a_name_is_refused_and_nobody_else() -> None:
    room = Room(4)
    await room.comes(*["root"] * 6)

    with pytest.raises(TooManyRequests):
        await room.tasks[-1]
    await room.comes("ann", "ann")

    assert await room.finish() == ["root", "ann", "root", "ann"]
    refused = [task for task in room.tasks if task.exception()]
    assert refused == room.tasks[3:6]


async def test_names_that_wait_alike_refuse_the_newcomer() -> None:
    room = Room(2)
    await room.comes("root", "ann", "bob", "eve")

    with pytest.raises(TooManyRequests):
        await room.tasks[-1]
    assert await room.finish() == ["ann", "bob"]


async def test_a_turn_of_one_who_went_away_is_the_next_ones() -> None:
    room = Room(9)
    await room.comes("root", "ann", "bob")
    gone = room.tasks.pop(1)

    room.turns.give_back()
    gone.cancel()  # his turn has come, and he does not know it
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert room.served == ["root", "bob"]


async def test_one_who_goes_away_waits_no_more() -> None:
    room = Room(1)
    await room.comes("root", "ann")
    room.tasks.pop().cancel()
    await asyncio.sleep(0)

    await room.comes("bob")

    assert await room.finish() == ["bob"]


async def test_who_goes_away_while_a_turn_ends_takes_no_turn_along() -> None:
    room = Room(9)
    await room.comes("root", "ann", "ann", "bob")

    for gone in room.tasks[1:3]:
        gone.cancel()  # their turns are cancelled, and they do not know it
    room.turns.give_back()
    await asyncio.sleep(0)

    assert room.served == ["root", "bob"]


async def test_when_all_go_away_while_a_turn_ends_the_next_need_not_wait() -> None:
    room = Room(9)
    await room.comes("root", "ann", "ann")

    for gone in room.tasks[1:]:
        gone.cancel()
    room.turns.give_back()
    await room.comes("bob")

    assert room.served == ["root", "bob"]


async def test_one_who_goes_away_while_he_is_refused() -> None:
    room = Room(2)
    await room.comes("root", "ann", "ann")

    room.tasks.pop().cancel()
    room.tasks.append(asyncio.create_task(room.turns.take("bob")))
    await asyncio.sleep(0)

    assert await room.finish() == ["ann"]
