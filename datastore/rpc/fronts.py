"""Which front serves which address, and both of them started and stopped as one.

Plaintext TCP goes to the native front where it is installed, and what that cannot do (streams) to
the stream front behind it; unix sockets and TLS always go to one grpcio server. `--grpc-front
grpcio` puts everything there; `native` insists on the others for plaintext TCP.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.private_directory import PrivateDirectory
from datastore.rpc import native_front, stream_front
from datastore.rpc.front import SERVICES, channel_options
from datastore.rpc.grpcio_front import GrpcioFront
from datastore.rpc.listeners import UNIX, forget, listen, probe
from datastore.rpc.native_front import NativeFront
from datastore.rpc.secure import credentials
from datastore.rpc.stream_front import StreamFront

if TYPE_CHECKING:
    import grpc

    from datastore.addresses import ListenUrl
    from datastore.rpc.answering import Edge
    from datastore.rpc.options import GrpcOptions
    from datastore.tls.serving import Serving

_UNBOUNDED = (
    "the native front holds a client's message in memory however long it is: where clients are "
    "not trusted use https or --grpc-front grpcio url=%s"
)
log = logging.getLogger(__name__)
INSTALLED = native_front.INSTALLED and stream_front.INSTALLED


class Fronts:
    """Every listener for clients that speak gRPC.

    `bind` each address, then `start`; `stop` may be called at any time and once more.
    """

    def __init__(self, options: GrpcOptions, tls: Serving | None = None) -> None:
        """Raise ConfigError if a front is asked for that is not installed.

        `tls` is for https and unixs URLs.
        """
        if options.front == "native" and not INSTALLED:
            raise ConfigError(
                "--grpc-front native: pygrpc-native or h2corn is not installed: install "
                "both, or use auto"
            )
        self._use_native = options.front != "grpcio" and INSTALLED
        self._options = options
        self._tls = tls
        self._grpcio = GrpcioFront(channel_options(options), tls.clients if tls else None)
        self._addresses: list[str] = []
        self._natives: list[NativeFront] = []
        self._streams: StreamFront | None = None
        self._directory: PrivateDirectory | None = None

    def bind(self, url: ListenUrl) -> None:
        """Listen on a URL; StartError when its address cannot be had."""
        address = url.address
        if url.secure:
            assert self._tls is not None, "checked by the configuration"
            self._listen(address, credentials(self._tls))
        elif self._use_native and not address.startswith(UNIX):
            probe(address, shared=self._options.reuse_port)
            self._natives.append(NativeFront(address, self._options))
            if not url.local:
                log.warning(_UNBOUNDED, url.url)
        else:
            self._listen(address)

    async def start(self, edge: Edge) -> None:
        """Answer calls from here on."""
        for service, methods in SERVICES.items():
            for name in methods:
                edge.counts.of(service, name)  # which native fronts add to at each scrape
        if self._addresses:
            self._grpcio.start(edge, SERVICES)
        if self._natives:
            await self._start_natives(edge)

    async def stop(self, grace: float) -> None:
        """Take no more calls, let those in progress end for so many seconds, and close.

        The native fronts close after the streams, whose ends go through them.
        """
        await asyncio.gather(
            self._grpcio.stop(grace), *(front.drain(grace) for front in self._natives)
        )
        if self._streams:
            await self._streams.drain(grace)
        await asyncio.gather(*(front.close() for front in self._natives))
        if self._streams:
            await self._streams.close()
            self._streams = None
        self._natives.clear()
        for address in self._addresses:
            forget(address)
        self._addresses.clear()
        if self._directory:
            self._directory.close()
            self._directory = None

    async def _start_natives(self, edge: Edge) -> None:
        """Start the stream front where nobody else may connect, then those that it is behind."""
        self._directory = PrivateDirectory()
        socket = str(self._directory.path / "streams.sock")
        self._streams = StreamFront(edge, SERVICES, socket)
        await self._streams.start()
        for front in self._natives:
            front.start(edge, SERVICES, socket)

    def _listen(self, address: str, secret: grpc.ServerCredentials | None = None) -> None:
        listen(self._grpcio, address, secret, shared=self._options.reuse_port)
        self._addresses.append(address)
