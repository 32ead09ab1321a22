"""Watchers that outlive the server: each goes on from its last revision, whatever happens.

What a witness sees is the history that everything else is judged by, so it judges itself first: no
event twice, none left out, none out of order.
"""

import asyncio
from typing import Any

import grpc
import grpc.aio

from proto.etcd import kv_pb2, rpc_pb2_grpc
from proto.etcd import rpc_pb2 as pb
from tests.robustness.history import Event
from tests.robustness.load import OPTIONS, seen

PAUSE_SECONDS = 0.02


class Witness:
    """One watcher of every key; `events` are those not yet judged, by revision."""

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self.reached = 1
        self.reconnects = 0
        self.events: dict[int, list[Event]] = {}
        self.violations: list[str] = []
        self._address = address
        self._created = False
        self._came = asyncio.Condition()

    def forget(self, upto: int) -> None:
        """Forget the events up to a revision: they have been judged."""
        self.events = {at: events for at, events in self.events.items() if at > upto}

    def told(self, upto: int) -> dict[int, list[Event]]:
        """Return the events up to a revision."""
        return {at: events for at, events in self.events.items() if at <= upto}

    async def reach(self, revision: int) -> None:
        """Wait until every event up to a revision has been seen."""
        async with self._came:
            await self._came.wait_for(lambda: self.reached >= revision or bool(self.violations))

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            async with grpc.aio.insecure_channel(self._address, options=OPTIONS) as channel:
                try:
                    await self._watch(rpc_pb2_grpc.WatchStub(channel).Watch())
                except grpc.aio.AioRpcError:
                    self.reconnects += self._created
            self._created = False
            await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self, stream: Any) -> None:
        create = pb.WatchCreateRequest(
            key=b"\0", range_end=b"\0", start_revision=self.reached + 1, prev_kv=True
        )
        await stream.write(pb.WatchRequest(create_request=create))
        while True:
            answer = await stream.read()
            if answer is grpc.aio.EOF:
                return
            self._created = self._created or answer.created
            if answer.canceled:
                self.violations.append(f"{self.name} was cancelled: {answer}")
            await self._take(answer.events)

    async def _take(self, events: Any) -> None:
        """Note the events of whole revisions: an answer never ends within one."""
        for event in events:
            revision = event.kv.mod_revision
            known = self.events.get(revision)
            if known is None and revision != self.reached + 1:
                told = f"{self.name} saw revision {revision} after {self.reached}"
                self.violations.append(told)
            elif known is not None and revision != self.reached:
                self.violations.append(f"{self.name} saw revision {revision} again")
            self.events.setdefault(revision, []).append(_event(event))
            self.reached = max(self.reached, revision)
        async with self._came:
            self._came.notify_all()


def _event(event: kv_pb2.Event) -> Event:
    key = event.kv.key.decode()
    return Event(key, None if event.type == kv_pb2.Event.DELETE else seen(event.kv))
