"""Watchers that outlive the server: each goes on from its last revision, whatever happens.

What a witness sees is the history that everything else is judged by, so it judges itself first: no
event twice, none left out, none out of order; and when the server says how far it has got
(progress), nothing up to there may come later.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio

from proto.etcd import kv_pb2, rpc_pb2_grpc
from proto.etcd import rpc_pb2 as pb
from tests.robustness.caller import OPTIONS, metadata_of, seen
from tests.robustness.history import Event

PAUSE_SECONDS = 0.02
ASK_SECONDS = 0.3  # between questions for the progress, at most
MOVE_SECONDS = (0.1, 1.5)  # after which one that roams goes elsewhere


class Witness:
    """One watcher of every key; `events` are those not yet judged, by revision.

    With one address it waits for that server; with several it goes from one to the other, after a
    while or when one fails.
    """

    def __init__(self, addresses: Sequence[str], name: str, seed: int) -> None:
        self.name = name
        self.addresses = addresses
        self.reached = 1
        self.judged = 1  # up to this revision its events have been judged, and forgotten
        self.reconnects = 0
        self.events: dict[int, list[Event]] = {}
        self.violations: list[str] = []
        self.token = ""  # root's, if authentication is on
        self._chance = random.Random(seed)
        self._at = 0
        self._created = False
        self._came = asyncio.Condition()

    def forget(self, upto: int) -> None:
        """Forget the events up to a revision: they have been judged."""
        self.judged = upto
        self.events = {at: events for at, events in self.events.items() if at > upto}

    def told(self, after: int, upto: int) -> dict[int, list[Event]]:
        """Return the events after a revision and up to another."""
        return {at: events for at, events in self.events.items() if after < at <= upto}

    async def reach(self, revision: int) -> None:
        """Wait until every event up to a revision has been seen."""
        async with self._came:
            await self._came.wait_for(lambda: self.reached >= revision or bool(self.violations))

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            address = self.addresses[self._at % len(self.addresses)]
            stay = self._chance.uniform(*MOVE_SECONDS) if len(self.addresses) > 1 else None
            async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
                try:
                    async with asyncio.timeout(stay):
                        watch = rpc_pb2_grpc.WatchStub(channel).Watch
                        await self._watch(watch(metadata=metadata_of(self.token)))
                except (grpc.aio.AioRpcError, TimeoutError):
                    self.reconnects += self._created
            self._created = False
            self._at += 1
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self, stream: Any) -> None:
        create = pb.WatchCreateRequest(
            key=b"\0", range_end=b"\0", start_revision=self.reached + 1, prev_kv=True
        )
        await stream.write(pb.WatchRequest(create_request=create))
        asking = asyncio.create_task(self._ask(stream))
        try:
            while (answer := await stream.read()) is not grpc.aio.EOF:
                await self.take(answer)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask(self, stream: Any) -> None:
        """Ask for the progress now and then, for as long as there is a stream."""
        request = pb.WatchRequest(progress_request=pb.WatchProgressRequest())
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await asyncio.sleep(self._chance.uniform(0, ASK_SECONDS))
                await stream.write(request)

    async def take(self, answer: pb.WatchResponse) -> None:
        """Note the events of whole revisions: an answer never ends within one."""
        self._created = self._created or answer.created
        if answer.canceled:
            self.violations.append(f"{self.name} was cancelled: {answer}")
        elif not answer.created and not answer.events:
            self._judge_progress(answer.header.revision)
        for event in answer.events:
            self._note(event.kv.mod_revision, _event(event))
        async with self._came:
            self._came.notify_all()

    def _judge_progress(self, revision: int) -> None:
        if revision > self.reached:
            self.violations.append(
                f"{self.name} was told that all up to {revision} has come, after {self.reached}"
            )

    def _note(self, revision: int, event: Event) -> None:
        known = self.events.get(revision)
        if known is None and revision != self.reached + 1:
            told = f"{self.name} saw revision {revision} after {self.reached}"
            self.violations.append(told)
        elif known is not None and revision != self.reached:
            self.violations.append(f"{self.name} saw revision {revision} again")
        self.events.setdefault(revision, []).append(event)
        self.reached = max(self.reached, revision)


def witnesses(addresses: Sequence[str], chance: random.Random) -> list[Witness]:
    """Return three that stay with the one server; else one that stays with each, and two that roam.

    Those that stay show what each server sends by itself, those that roam that one server goes on
    where another was left.
    """
    staying = addresses if len(addresses) > 1 else [*addresses] * 3
    roaming = [addresses, addresses[::-1]] if len(addresses) > 1 else []
    asked = [*([address] for address in staying), *roaming]
    return [
        Witness(each, f"witness {n} at {','.join(each)}", chance.getrandbits(30))
        for n, each in enumerate(asked)
    ]


def _event(event: kv_pb2.Event) -> Event:
    key = event.kv.key.decode()
    return Event(key, None if event.type == kv_pb2.Event.DELETE else seen(event.kv))
