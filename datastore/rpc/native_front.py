"""The native front: unary calls on a plaintext TCP port whose HTTP/2 work is done outside Python.

pygrpc-native hands over calls in batches. A `Direct` method is started in the thread that took the
batch and answered from whichever thread has its outcome, so a call costs neither a task nor a turn
of the event loop; a `Unary` one runs on the loop. Streams, and calls that no service takes, go to
the stream front behind the port (`set_fallback`).

A call whose client has gone, or whose deadline has passed, is marked done: it leaves the writer's
queue unexecuted. Bounds: those of the queues behind (writer, point reads, lanes).
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc

from datastore.errors import ServerStopped, StartError
from datastore.rpc.answering import Direct, Unary, check_client_version, decoded, respond
from datastore.rpc.failure import failure

try:
    from pygrpc_native import EVENT_CALL, NativeGrpcFront
except ImportError:  # an optional extra: grpcio serves everything then
    INSTALLED = False
else:
    INSTALLED = True

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pygrpc_native._native import CallDetails

    from datastore.rpc.answering import Edge, Metadata, Method
    from datastore.rpc.options import GrpcOptions

TOGETHER = 256  # calls taken at once
IO_THREADS = 2
MAX_METADATA = 16 << 10
POLL_SECONDS = 0.02
CODES = {code.name: code.value[0] for code in grpc.StatusCode}


class Call:
    """One call in progress; the `Answer` of a direct method."""

    __slots__ = ("_encode", "_front", "gone", "id", "task")

    def __init__(
        self, front: NativeFront, number: int, encode: Callable[[Edge, Any], bytes] | None
    ) -> None:
        self._front = front
        self._encode = encode
        self.id = number
        self.gone = False
        self.task: asyncio.Task[None] | None = None

    def done(self) -> bool:
        """Say whether the client has gone away."""
        return self.gone

    def set_result(self, result: Any) -> None:
        """Send the answer."""
        front = self._front
        front.calls.pop(self.id, None)
        try:
            answer = self._encode(front.edge, result)  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001  the caller gets it; the store's thread goes on
            self.set_exception(error)
        else:
            front.native.respond(self.id, answer)

    def set_exception(self, error: Exception) -> None:
        """Send the status instead."""
        front = self._front
        front.calls.pop(self.id, None)
        code, text = failure(error)
        front.native.fail(self.id, CODES[code], text)


class NativeFront:
    """One plaintext port."""

    edge: Edge

    def __init__(self, address: str, options: GrpcOptions) -> None:
        """Bind `host:port`; StartError when it cannot be had."""
        try:
            self.native = NativeGrpcFront(
                address,
                [],
                io_threads=IO_THREADS,
                call_details=True,
                keepalive_time_ms=options.keepalive_ms,
                keepalive_timeout_ms=options.keepalive_timeout_ms,
                keepalive_permit_without_calls=True,
                max_concurrent_streams=options.max_streams,
                reuse_port=options.reuse_port,
                max_metadata_size=MAX_METADATA,
                metrics=True,
            )
        except OSError as error:
            raise StartError(
                f"cannot listen on {address}: {error.strerror or error}: choose another address"
            ) from error
        self.calls: dict[int, Call] = {}
        self._methods: list[Direct | Unary] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name=f"grpc-{address}", daemon=True)

    def start(
        self, edge: Edge, services: Mapping[str, Mapping[str, Method]], fallback: str
    ) -> None:
        """Take calls; what is not served here goes to the stream front on that unix socket."""
        self.edge = edge
        self._loop = asyncio.get_running_loop()
        paths = []
        for service, methods in services.items():
            for name, method in methods.items():
                if isinstance(method, Direct | Unary):
                    paths.append((f"/{service}/{name}", False))
                    self._methods.append(method)
        edge.counts.sources.append(self.native.metrics)
        self.native.set_fallback(fallback)
        self.native.add_methods(paths)
        self.native.start()
        self._thread.start()

    async def drain(self, grace: float) -> None:
        """Refuse new calls, and give those in progress so many seconds."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self.calls:  # noqa: ASYNC110  they end in other threads
                    await asyncio.sleep(POLL_SECONDS)
        for call in list(self.calls.values()):
            call.set_exception(ServerStopped())
            self._cancel(call)

    async def close(self) -> None:
        """Close the port, and with it what the grpcio server answers through it."""
        await asyncio.to_thread(self.native.close)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        receive = self.native.recv_batch_details
        methods = self._methods
        self.edge.store.keys.serve_here()
        while (events := receive(TOGETHER)) is not None:
            for kind, number, method, payload, _, details in events:
                if kind == EVENT_CALL:
                    self._take(number, methods[method], payload or b"", details)
                else:
                    self._drop(number)
            self.edge.store.keys.serve()

    def _take(
        self, number: int, method: Direct | Unary, payload: bytes, details: CallDetails | None
    ) -> None:
        encode = method.encode if isinstance(method, Direct) else None
        call = self.calls[number] = Call(self, number, encode)
        try:
            if self._stopping:
                raise ServerStopped
            edge = self._edge_of(details[0]) if details and details[0] else self.edge
            if not isinstance(method, Direct):
                request = decoded(edge, method.request, payload)
                self._loop.call_soon_threadsafe(self._begin, call, edge, method, request)
            elif isinstance(at_hand := method.at_once(edge, payload), bytes):
                self.calls.pop(number, None)
                self.native.respond(number, at_hand)
            else:
                method.start(edge, at_hand or decoded(edge, method.request, payload), call)
        except Exception as error:  # noqa: BLE001  the caller gets it; the front goes on
            call.set_exception(error)

    def _edge_of(self, metadata: Metadata) -> Edge:
        """Return the edge as this call sees it, having checked what every call is checked for."""
        check_client_version(metadata)
        edge = self.edge
        return edge.of_call(metadata, None) if edge.wants_callers else edge

    def _drop(self, number: int) -> None:
        """The client has gone, or the deadline has passed."""
        call = self.calls.pop(number, None)
        if call is not None:
            call.gone = True
            if call.task is not None:
                self._loop.call_soon_threadsafe(self._cancel, call)

    def _cancel(self, call: Call) -> None:
        if call.task is not None:
            call.task.cancel()

    def _begin(self, call: Call, edge: Edge, method: Unary, request: Any) -> None:
        if not call.gone:
            call.task = self._loop.create_task(self._run(call, edge, method, request))

    async def _run(self, call: Call, edge: Edge, method: Unary, request: Any) -> None:
        try:
            answer = await respond(edge, method, request)
        except Exception as error:  # noqa: BLE001  the caller gets it
            call.set_exception(error)
        else:
            self.calls.pop(call.id, None)
            self.native.respond(call.id, answer)
