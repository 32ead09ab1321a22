"""A call with a stream of answers on the grpcio front: a conversation held on the event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from datastore.rpc import grpcio_core as core
from datastore.rpc.grpcio_halves import Answers, Arrived
from datastore.rpc.streaming import Conversation, outcome

if TYPE_CHECKING:
    from datastore.rpc.answering import Edge, Metadata, Stream
    from datastore.rpc.counting import MethodCounts
    from datastore.rpc.grpcio_front import GrpcioFront


class StreamCall:
    """One call in progress.

    When it has ended, nothing here may hold gRPC's call: its server stops when all calls are gone.
    """

    def __init__(
        self,
        front: GrpcioFront,
        call: core.Call,
        method: Stream,
        counts: MethodCounts,
        metadata: Metadata,
    ) -> None:
        self._front = front
        self._call: core.Call | None = call
        self._method = method
        self._counts = counts
        self._metadata = metadata
        self._answers = Answers(front, call)
        self._arrived = Arrived(front, call, many=method.requests)
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin; from the front's thread."""
        edge = self._front.edge_of(self._call, self._metadata)
        self._front.on_loop(self._run_there, edge)
        core.await_end(self._call, self._ended)
        self._arrived.receive()

    def _run_there(self, edge: Edge) -> None:
        self._task = self._front.task(self._run(edge))

    def _ended(self, event: core.Event) -> None:
        self._call = None
        self._answers.release()
        self._arrived.release()
        if core.was_cancelled(event):
            self._front.on_loop(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self, edge: Edge) -> None:
        self._counts.started += 1
        begun = perf_counter()
        code = "CANCELLED"
        try:
            with suppress(asyncio.CancelledError):
                code, text = await outcome(lambda: self._conversation(edge))
                self._answers.end(code, text)
        finally:
            self._counts.end(code, begun)

    def _conversation(self, edge: Edge) -> Conversation:
        groups = self._arrived.groups()
        return Conversation(edge, self._method, self._counts, groups, self._answers.write)
