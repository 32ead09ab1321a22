"""The two bidirectional streams of the protocol as the contract tests use them: send, and await
with a time-out.
"""

import asyncio
from typing import Any

import grpc.aio

from proto.etcd import kv_pb2
from proto.etcd import rpc_pb2 as pb
from tests.contract.requests import KeyOf, Name

ANSWER_SECONDS = 60.0


class WatchStream:
    """One Watch RPC."""

    def __init__(self, call: Any, key_of: KeyOf) -> None:
        self._call = call
        self._key_of = key_of

    async def send(self, **member: Any) -> None:
        """Send one WatchRequest with the given member of its oneof (none: an empty request)."""
        await self._call.write(pb.WatchRequest(**member))

    async def ask(self, key: Name, end: Name = b"", **fields: Any) -> None:
        """Send a create request and do not wait."""
        request = pb.WatchCreateRequest(
            key=self._key_of(key), range_end=self._key_of(end), **fields
        )
        await self.send(create_request=request)

    async def create(self, key: Name, end: Name = b"", **fields: Any) -> pb.WatchResponse:
        """Send a create request and return the next response, which must be its answer."""
        await self.ask(key, end, **fields)
        answer = await self.next()
        assert answer.created, answer
        return answer

    async def cancel(self, watch_id: int) -> None:
        """Send a cancel request."""
        await self.send(cancel_request=pb.WatchCancelRequest(watch_id=watch_id))

    async def request_progress(self) -> None:
        """Send a progress request."""
        await self.send(progress_request=pb.WatchProgressRequest())

    async def half_close(self) -> None:
        """Say that no request will follow."""
        await self._call.done_writing()

    async def next(self, seconds: float = ANSWER_SECONDS) -> pb.WatchResponse:
        """Return the next response; raise TimeoutError if none comes."""
        async with asyncio.timeout(seconds):
            response = await self._call.read()
        if response is grpc.aio.EOF:
            raise AssertionError(
                f"the stream ended: {await self._call.code()} {await self._call.details()}"
            )
        assert isinstance(response, pb.WatchResponse)
        return response

    async def take(self, count: int) -> list[pb.WatchResponse]:
        """Return the next `count` responses."""
        return [await self.next() for _ in range(count)]

    async def events(self, count: int) -> list[kv_pb2.Event]:
        """Return the next `count` events, however they are grouped into responses."""
        events: list[kv_pb2.Event] = []
        while len(events) < count:
            response = await self.next()
            assert response.events, f"{response} came instead of event {len(events) + 1}"
            events.extend(response.events)
        assert len(events) == count, events
        return events


class KeepAliveStream:
    """One LeaseKeepAlive RPC."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def send(self, lease_id: int) -> None:
        """Ask for a renewal."""
        await self.call.write(pb.LeaseKeepAliveRequest(ID=lease_id))

    async def next(self) -> pb.LeaseKeepAliveResponse:
        """Return the next answer; raise TimeoutError if none comes."""
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self.call.read()
        assert isinstance(answer, pb.LeaseKeepAliveResponse), "the stream ended"
        return answer

    async def renew(self, lease_id: int) -> pb.LeaseKeepAliveResponse:
        """Ask for a renewal and return the answer."""
        await self.send(lease_id)
        return await self.next()
