"""One watch on one key range, as a stream of batches.

A `KeyWatch` lives as long as its gRPC stream: it ends with StoreUnavailableError when the
connection is lost and with CompactedError when its next revision is gone. Its consumer opens
another from the last batch's revision + 1; no event is lost or repeated by that, because the store
numbers them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import grpc

from control_plane.apiserver.etcd.errors import (
    CompactedError,
    StoreError,
    StoreUnavailableError,
    store_error,
)
from control_plane.apiserver.etcd.model import KeyEvent, WatchBatch
from proto.etcd import kv_pb2, rpc_pb2

# The server answers UNAVAILABLE at once, instead of hanging, when it has no leader.
_METADATA = (("hasleader", "true"),)


class KeyWatch:
    """An open watch; use it in `async with` and iterate over `batches`."""

    def __init__(self, call: Any, request: rpc_pb2.WatchCreateRequest) -> None:
        """Wrap a Watch call that has not sent anything yet."""
        self._call = call
        self._request = request
        self._progress_wanted = asyncio.Event()
        self._asker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "KeyWatch":
        """Ask for the watch and wait until the store has registered it."""
        try:
            await self._write(rpc_pb2.WatchRequest(create_request=self._request))
            _check(await self._read())
        except BaseException:
            self._call.cancel()
            raise
        self._asker = asyncio.create_task(self._ask_for_progress())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the stream."""
        self._call.cancel()
        if self._asker is not None:
            self._asker.cancel()
            await asyncio.wait((self._asker,))

    async def batches(self) -> AsyncIterator[WatchBatch]:
        """Yield events and progress until the stream fails (StoreError, CompactedError)."""
        while True:
            response = await self._read()
            _check(response)
            if response.events:
                events = [_event(event) for event in response.events]
                yield WatchBatch(events, events[-1].revision)
            elif not response.created:
                yield WatchBatch([], response.header.revision)

    def request_progress(self) -> None:
        """Ask for a batch without events that tells how far this stream has come.

        Any number of callers may ask at once; a question that has not been sent yet serves all of
        them. On a stream that has failed nothing happens: its reader is told.
        """
        self._progress_wanted.set()

    async def _ask_for_progress(self) -> None:
        """Send the questions: the stream takes one write at a time and dies of a cancelled one."""
        request = rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest())
        with contextlib.suppress(StoreError, grpc.aio.UsageError):
            while True:
                await self._progress_wanted.wait()
                self._progress_wanted.clear()
                await self._write(request)

    async def _write(self, request: rpc_pb2.WatchRequest) -> None:
        try:
            await self._call.write(request)
        except grpc.aio.AioRpcError as error:
            raise store_error(error) from error
        except asyncio.InvalidStateError as error:
            raise StoreUnavailableError("the store ended the watch") from error

    async def _read(self) -> rpc_pb2.WatchResponse:
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise store_error(error) from error
        if not isinstance(response, rpc_pb2.WatchResponse):
            raise StoreUnavailableError("the store ended the watch")
        return response


def open_watch(stub: Any, key: bytes, range_end: bytes, start_revision: int) -> KeyWatch:
    """Prepare a watch of [key, range_end) that starts with the events of `start_revision`."""
    request = rpc_pb2.WatchCreateRequest(
        key=key, range_end=range_end, start_revision=start_revision, progress_notify=True
    )
    return KeyWatch(stub.Watch(metadata=_METADATA), request)


def _check(response: rpc_pb2.WatchResponse) -> None:
    if response.compact_revision:
        raise CompactedError(f"compacted at revision {response.compact_revision}")
    if response.canceled:
        reason = response.cancel_reason or "the store cancelled the watch"
        raise CompactedError(reason) if "compacted" in reason else StoreError(reason)


def _event(event: kv_pb2.Event) -> KeyEvent:
    value = event.kv.value if event.type == kv_pb2.Event.PUT else None
    return KeyEvent(event.kv.key, value, event.kv.mod_revision)
