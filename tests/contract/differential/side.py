"""One of the two servers: calls, and what its watch streams have said."""

import asyncio
from collections import defaultdict
from typing import Any

import grpc.aio

from proto.etcd import rpc_pb2 as pb
from tests.contract.client import Client, Refusal
from tests.contract.differential.normal import normalised
from tests.contract.differential.operations import FIRST_WATCH_ID, STREAMS, Call

ANSWER_SECONDS = 60.0
PROGRESS_RETRY_SECONDS = 0.05
FIRST_KEY = b"watched by the first watcher of each stream"
REFUSED = 1 << 32  # stands for the watchers that were never made; none is numbered so


class WatchTrouble(AssertionError):
    """A stream broke a rule of its own, whatever the other server did."""


class Side:
    """A server with a client and STREAMS open watch streams."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self._client = Client(address)
        self.streams: list[Stream] = []

    async def open(self) -> None:
        """Open the streams."""
        self.streams = [Stream(self._client) for _ in range(STREAMS)]
        for stream in self.streams:
            await stream.open()

    async def close(self) -> None:
        """Close streams and connection."""
        for stream in self.streams:
            await stream.close()
        await self._client.channel.close()

    async def call(self, call: Call) -> Any:
        """Make a unary call; a Refusal is an answer too."""
        service, method = call.method.split(".")
        try:
            answer = await self._client.send(
                getattr(getattr(self._client, service), method), call.request
            )
        except grpc.aio.AioRpcError as error:
            return Refusal(error.code().name, error.details() or "")
        return normalised(call.request, answer)

    async def keep_alive(self, lease_id: int) -> Any:
        """Renew a lease."""
        async with self._client.keep_alive() as stream:
            return normalised(None, await stream.renew(lease_id))

    async def reopen(self, index: int) -> None:
        """Replace a stream."""
        await self.streams[index].close()
        self.streams[index] = Stream(self._client)
        await self.streams[index].open()

    async def catch_up(self, revision: int) -> None:
        """Return when every stream has said that it has sent everything up to `revision`."""
        await asyncio.gather(*(stream.catch_up(revision) for stream in self.streams))


class Stream:
    """A watch stream and the story of each of its watchers.

    A story is what a watcher was sent, in order, without how events were grouped: tuples of
    kind and content. Refused creations are a story of their own: they have the id -1, which a
    watcher may have chosen that still gets events.
    """

    def __init__(self, client: Client) -> None:
        self._call = client.watch_service.Watch()
        self.stories: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self._arrived = asyncio.Event()
        self._creations: asyncio.Queue[pb.WatchResponse] = asyncio.Queue(maxsize=1)
        self._progress = 0  # the revision of the latest notification
        self._floors: dict[int, int] = {}  # of each watcher: the latest since it was created
        self._reader = asyncio.create_task(self._read())

    async def open(self) -> None:
        """Create the watcher that stays."""
        created = await self.create(pb.WatchCreateRequest(key=FIRST_KEY))
        assert created.watch_id == FIRST_WATCH_ID

    async def close(self) -> None:
        """Cancel the RPC."""
        self._call.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def create(self, request: pb.WatchCreateRequest) -> pb.WatchResponse:
        """Ask for a watcher and return the answer."""
        await self._call.write(pb.WatchRequest(create_request=request))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._creations.get()

    async def cancel(self, watch_id: int, answered: bool) -> None:
        """Cancel a watcher and, when it is known, await the answer."""
        seen = self._cancellations(watch_id)
        request = pb.WatchCancelRequest(watch_id=watch_id)
        await self._call.write(pb.WatchRequest(cancel_request=request))
        if answered:
            await self._cancelled(watch_id, seen + 1)

    async def compacted(self, watch_id: int) -> None:
        """Await that a watcher just created in the compacted past is cancelled by the server."""
        story = self.stories[watch_id]
        latest = max(i for i, item in enumerate(story) if item[0] == "created")
        before = sum(item[0] == "canceled" for item in story[:latest])
        await self._cancelled(watch_id, before + 1)

    async def _cancelled(self, watch_id: int, times: int) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            while self._cancellations(watch_id) < times:
                await self._next_arrival()

    def _cancellations(self, watch_id: int) -> int:
        return sum(item[0] == "canceled" for item in self.stories[watch_id])

    async def catch_up(self, revision: int) -> None:
        """Return when a new notification has reached `revision`."""
        self._progress = 0
        async with asyncio.timeout(ANSWER_SECONDS):
            while self._progress < revision:
                await self._ask_for_progress()

    async def _ask_for_progress(self) -> None:
        request = pb.WatchProgressRequest()
        await self._call.write(pb.WatchRequest(progress_request=request))
        try:
            async with asyncio.timeout(PROGRESS_RETRY_SECONDS):
                await self._next_arrival()
        except TimeoutError:
            if self._reader.done():
                await self._reader

    async def _next_arrival(self) -> None:
        self._arrived.clear()
        if self._reader.done():
            await self._reader
        await self._arrived.wait()

    async def _read(self) -> None:
        while True:
            response = await self._call.read()
            if response is grpc.aio.EOF:
                raise WatchTrouble(f"the stream ended with {await self._call.code()}")
            await self._note(response)
            self._arrived.set()

    async def _note(self, response: pb.WatchResponse) -> None:
        if response.created and response.canceled:
            self.stories[REFUSED].append(_creation(response))
            await self._creations.put(response)
        elif response.created:
            self.stories[response.watch_id].append(_creation(response))
            self._floors[response.watch_id] = 0
            await self._creations.put(response)
        elif response.canceled:
            self.stories[response.watch_id].append(_cancellation(response))
        elif response.events:
            self._note_events(response)
        else:
            self._progress = response.header.revision
            self._floors = dict.fromkeys(self._floors, response.header.revision)

    def _note_events(self, response: pb.WatchResponse) -> None:
        last = response.events[-1].kv.mod_revision
        if response.header.revision < last:
            raise WatchTrouble(f"the header is older than its events: {response}")
        for event in response.events:
            if event.kv.mod_revision <= self._floors[response.watch_id]:
                raise WatchTrouble(f"progress overtook {event}")
            self.stories[response.watch_id].append(("event", event.SerializeToString()))


def _creation(response: pb.WatchResponse) -> tuple[Any, ...]:
    return ("created", response.canceled, response.cancel_reason, response.header.revision)


def _cancellation(response: pb.WatchResponse) -> tuple[Any, ...]:
    shown = (response.cancel_reason, response.compact_revision, response.header.revision)
    return ("canceled", *shown)
