"""A unary call on the grpcio front.

It is begun in the front's thread. A `Direct` method is answered from whichever thread has its
outcome, for which this is the `Answer`; a `Unary` one runs on the event loop.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from datastore.rpc import grpcio_core as core
from datastore.rpc.answering import Direct, Edge, Unary, decoded, respond
from datastore.rpc.failure import failure

if TYPE_CHECKING:
    import asyncio

    from datastore.rpc.answering import Metadata
    from datastore.rpc.counting import MethodCounts
    from datastore.rpc.grpcio_front import GrpcioFront

NO_REQUEST = "the client sent no request"


class UnaryCall:
    """One call in progress."""

    __slots__ = (
        *("_begun", "_call", "_counts", "_front", "_gone", "_metadata", "_method"),
        *("_size", "_task", "_watched"),
    )

    def __init__(
        self,
        front: GrpcioFront,
        call: core.Call,
        method: Direct | Unary,
        counts: MethodCounts,
        metadata: Metadata,
    ) -> None:
        self._front = front
        self._call: core.Call | None = call  # not held any longer than it takes: see StreamCall
        self._method = method
        self._counts = counts
        self._metadata = metadata
        self._size = 0
        self._begun = 0.0
        self._gone = False
        self._watched = False
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Wait for the request."""
        core.receive(self._call, self._take)

    def done(self) -> bool:
        """Say whether the client has gone away."""
        return self._gone

    def set_result(self, result: Any) -> None:
        """Send the answer of a direct method."""
        method, front = self._method, self._front
        assert isinstance(method, Direct)
        try:
            answer = method.encode(front.edge, result)
        except Exception as error:  # noqa: BLE001  the caller gets it; the store's thread goes on
            self.set_exception(error)
        else:
            self._answer(answer)

    def set_exception(self, error: Exception) -> None:
        """Send the status instead."""
        self._fail(*failure(error))

    def cancel(self) -> None:
        """End what runs on the event loop; called there."""
        if self._task is not None:
            self._task.cancel()

    def _take(self, event: core.Event) -> None:
        """Take the request, in the front's thread."""
        data = core.message_of(event)
        if data is None:
            self._send((core.started(), core.status("INTERNAL", NO_REQUEST)))
            return
        self._begun = perf_counter()
        self._size = len(data)
        self._front.calls.add(self)
        self._counts.started += 1
        try:
            self._start(self._front.edge_of(self._call, self._metadata), data)
        except Exception as error:  # noqa: BLE001  the caller gets it; the front goes on
            self.set_exception(error)

    def _start(self, edge: Edge, data: bytes) -> None:
        method = self._method
        if isinstance(method, Direct):
            at_hand = method.at_once(edge, data)
            if isinstance(at_hand, bytes):
                self._answer(at_hand)
                return
            request = at_hand or decoded(edge, method.request, data)
            self._watch()
            method.start(edge, request, self)
            self._front.reads = True
        else:
            request = decoded(edge, method.request, data)
            self._watch()
            self._front.on_loop(self._run_there, edge, request)

    def _watch(self) -> None:
        """Learn of the end of the call before its answer."""
        self._watched = True
        core.await_end(self._call, self._ended)

    def _ended(self, event: core.Event) -> None:
        if core.was_cancelled(event) and self._leave():
            self._gone = True
            self._call = None
            self._count("CANCELLED", 0)
            if isinstance(self._method, Unary):
                self._front.on_loop(self.cancel)

    def _run_there(self, edge: Edge, request: Any) -> None:
        if not self._gone:
            self._task = self._front.task(self._run(edge, request))

    async def _run(self, edge: Edge, request: Any) -> None:
        try:
            answer = await respond(edge, self._method, request)
        except Exception as error:  # noqa: BLE001  the caller gets it
            self.set_exception(error)
        else:
            self._answer(answer)

    def _answer(self, data: bytes) -> None:
        if self._leave():
            self._count("OK", len(data))
            self._send((core.started(), core.message(data), core.status("OK", "")))

    def _fail(self, code: str, text: str) -> None:
        if self._leave():
            self._count(code, 0)
            self._send((core.started(), core.status(code, text)))

    def _send(self, operations: tuple[core.Operation, ...]) -> None:
        if not self._watched:
            operations = (core.ended(), *operations)
        call, self._call = self._call, None
        assert call is not None, "it is ended once"
        call.start_server_batch(operations, core.nothing)

    def _leave(self) -> bool:
        """Say whether the call is still to be ended; it is not from then on."""
        try:
            self._front.calls.remove(self)
        except KeyError:
            return False
        return True

    def _count(self, code: str, sent: int) -> None:
        with self._front.counting:
            self._counts.exchange(self._size, sent, code, self._begun)
