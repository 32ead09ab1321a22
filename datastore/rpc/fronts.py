"""Which front serves which address, and both of them started and stopped as one.

Plaintext TCP goes to the native front where it is installed; unix sockets (and TLS) always, and
everything else the native front cannot do, to one grpcio server. `--grpc-front grpcio` puts
everything there; `native` insists on the other for plaintext TCP.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.private_directory import PrivateDirectory
from datastore.rpc.front import SERVICES, add_services, new_server
from datastore.rpc.listeners import UNIX, forget, listen, probe
from datastore.rpc.native_front import INSTALLED, NativeFront
from datastore.rpc.secure import JudgeClients, credentials

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
                "--grpc-front native: pygrpc-native is not installed, install it or use auto"
            )
        self._use_native = options.front != "grpcio" and INSTALLED
        self._options = options
        self._tls = tls
        judges = [JudgeClients(tls.clients)] if tls and tls.clients else []
        self._grpcio = new_server(options, judges)
        self._addresses: list[str] = []
        self._natives: list[NativeFront] = []
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
        await add_services(self._grpcio, edge)
        socket = self._fallback() if self._natives else ""
        await self._grpcio.start()
        for front in self._natives:
            front.start(edge, SERVICES, socket)

    async def stop(self, grace: float) -> None:
        """Take no more calls, let those in progress end for so many seconds, and close.

        The native fronts close last: the ends of streams go through them.
        """
        await asyncio.gather(
            self._grpcio.stop(grace), *(front.drain(grace) for front in self._natives)
        )
        await asyncio.gather(*(front.close() for front in self._natives))
        self._natives.clear()
        for address in self._addresses:
            forget(address)
        self._addresses.clear()
        if self._directory:
            self._directory.close()
            self._directory = None

    def _listen(self, address: str, secret: grpc.ServerCredentials | None = None) -> None:
        listen(self._grpcio, address, secret, shared=self._options.reuse_port)
        self._addresses.append(address)

    def _fallback(self) -> str:
        """Let the grpcio server listen for the native fronts, where nobody else may connect."""
        self._directory = PrivateDirectory()
        path = str(self._directory.path / "fallback.sock")
        self._grpcio.add_insecure_port(f"{UNIX}{path}")
        return path
