"""The grpcio front: the tables of methods on a server of gRPC's core.

It serves whatever the native front does not: streams, unix sockets, TLS, and everything where the
native front is not installed. Requests are decoded by ourselves, because gRPC hides which are bad.

One thread takes what gRPC has to tell from its queue, and answers there what is at hand; what takes
its time is answered from the store's threads (`grpcio_unary`), streams are held on the event loop
(`grpcio_stream`). Neither of grpcio's own servers is used: docs/decisions/0013 has the figures.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError, Unsupported
from datastore.rpc import grpcio_core as core
from datastore.rpc.answering import Stream, check_client_version, unknown_call
from datastore.rpc.grpcio_stream import StreamCall
from datastore.rpc.grpcio_unary import UnaryCall
from datastore.rpc.secure import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    import grpc

    from datastore.rpc.answering import Edge, Metadata, Method
    from datastore.rpc.counting import MethodCounts
    from datastore.tls.clients import ClientCertificates

log = logging.getLogger(__name__)
ASKED = 64  # new calls that gRPC may hand over before it has to be asked again
TOGETHER = 64  # events after which reads that wait are served
CLOSE_SECONDS = 5.0  # that calls may take to go when they have been cancelled
NOW = 0.0  # a time that has passed: what is there, without waiting


class GrpcioFront:
    """One server with as many ports as are added before it starts; `stop` it in any case."""

    edge: Edge
    loop: asyncio.AbstractEventLoop

    def __init__(
        self, options: Sequence[tuple[str, int]], clients: ClientCertificates | None = None
    ) -> None:
        """`clients` judges the certificates of those that have one."""
        self._server = core.new_server(tuple(options), False)
        self._queue = core.new_queue()
        self._server.register_completion_queue(self._queue)
        self._clients = clients
        self._methods: dict[bytes, tuple[Method, MethodCounts]] = {}
        self._services: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, name="grpcio", daemon=True)
        self._bound = False
        self._stopping = False
        self._serving = True
        self.calls: set[UnaryCall] = set()
        self.counting = threading.Lock()
        self.reads = False  # a read may have been begun, and waits to be served

    def add_insecure_port(self, address: str) -> int:
        """Listen on an address; return 0 when it cannot be had."""
        return self._bind(address)

    def add_secure_port(self, address: str, credentials: grpc.ServerCredentials) -> int:
        """Listen on an address with TLS; return 0 when it cannot be had."""
        secret: Any = credentials
        return self._bind(address, secret._credentials)

    def _bind(self, address: str, *secret: Any) -> int:
        port = int(self._server.add_http2_port(address.encode(), *secret))
        self._bound = self._bound or bool(port)
        return port

    def start(self, edge: Edge, services: Mapping[str, Mapping[str, Method]]) -> None:
        """Answer calls from here on; on the event loop."""
        self.edge = edge
        self.loop = asyncio.get_running_loop()
        self._services = frozenset(services)
        apart = edge.counts.apart()
        for service, methods in services.items():
            for name, method in methods.items():
                counts = (edge.counts if isinstance(method, Stream) else apart).of(service, name)
                self._methods[f"/{service}/{name}".encode()] = (method, counts)
        self._server.start()
        for _ in range(ASKED):
            self._ask()
        self._thread.start()

    async def stop(self, grace: float) -> None:
        """Take no more calls, give those in progress so many seconds, and close the ports."""
        if self._stopping:
            return
        self._stopping = True
        if not self._thread.is_alive():
            if self._bound:
                await asyncio.to_thread(self._close_unused)
            return
        ended = asyncio.Event()
        self._server.shutdown(self._queue, lambda _: self.on_loop(ended.set))
        if not await _within(grace, ended):
            self._server.cancel_all_calls()
            if not await _within(CLOSE_SECONDS, ended):
                log.error("calls are held by somebody, the grpcio front ends with the process")
                return
        self._serving = False
        self._queue.shutdown()
        await asyncio.to_thread(self._thread.join)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _close_unused(self) -> None:
        """Close the ports of a server that has not started: only one that has closes them."""
        self._server.start()
        self._server.shutdown(self._queue, core.nothing)
        self._queue.poll()

    def edge_of(self, call: core.Call, metadata: Metadata) -> Edge:
        """Return the edge as a call sees it."""
        edge = self.edge
        if not edge.wants_callers:
            return edge
        return edge.of_call(metadata, core.certificate_of(call))

    def on_loop(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function on the event loop; without one nobody waits for it."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin a call's work on the event loop."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _serve(self) -> None:
        keys, poll = self.edge.store.keys, self._queue.poll
        keys.serve_here()
        while self._serving:
            self._handle(poll())
            for _ in range(TOGETHER):
                if not self.reads or not self._handle(poll(NOW)):
                    break
            if self.reads:
                self.reads = False
                self.edge.store.keys.serve()

    def _handle(self, event: core.Event) -> bool:
        """Do what follows an event; say whether there was one."""
        if core.is_none(event):
            return False
        try:
            event.tag(event)
        except Exception:
            log.exception("internal error in the grpcio front")
        return True

    def _ask(self) -> None:
        if not self._stopping:
            with suppress(ValueError):  # it began to stop in between
                self._server.request_call(self._queue, self._queue, self._accept)

    def _accept(self, event: core.Event) -> None:
        """Begin a new call, having checked what every call is checked for."""
        if not event.success:
            return
        self._ask()
        call, path, metadata = event.call, event.call_details.method, event.invocation_metadata
        found = self._methods.get(path)
        try:
            if found is None:
                raise Unsupported(unknown_call(path.decode(errors="replace"), self._services))
            check_client_version(metadata or ())
        except DatastoreError as error:
            _refuse(call, error.code, str(error))
            return
        kind: Any = StreamCall if isinstance(found[0], Stream) else UnaryCall
        begun = kind(self, call, *found, metadata or ())
        if self._clients is None:
            begun.open()
        else:
            self.on_loop(self._judge, call, begun)

    def _judge(self, call: core.Call, begun: UnaryCall | StreamCall) -> None:
        self.task(self._open_if_let_in(call, begun))

    async def _open_if_let_in(self, call: core.Call, begun: UnaryCall | StreamCall) -> None:
        assert self._clients is not None
        why = await refusal(self._clients, core.certificate_of(call), core.peer_of(call))
        if why:
            _refuse(call, "PERMISSION_DENIED", why)
        else:
            begun.open()


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for an event, but no longer; say whether it has come."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _refuse(call: core.Call, code: str, text: str) -> None:
    operations = (core.ended(), core.started(), core.status(code, text))
    call.start_server_batch(operations, core.nothing)
