"""Which front serves which address, and both of them started and stopped as one.

Plaintext TCP goes to the native front where it is installed; unix sockets (and TLS) always, and
everything else the native front cannot do, to one grpcio server. `--grpc-front grpcio` puts
everything there; `native` insists on the other for plaintext TCP.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.rpc.front import SERVICES, add_services, new_server
from datastore.rpc.listeners import UNIX, forget, listen
from datastore.rpc.native_front import INSTALLED, NativeFront

if TYPE_CHECKING:
    from datastore.rpc.answering import Edge


class Fronts:
    """Every listener for clients that speak gRPC.

    `bind` each address, then `start`; `stop` may be called at any time and once more.
    """

    def __init__(self, front: str, max_request_bytes: int) -> None:
        """ConfigError if a front is asked for that is not installed."""
        if front == "native" and not INSTALLED:
            raise ConfigError(
                "--grpc-front native: pygrpc-native is not installed, install it or use auto"
            )
        self._use_native = front != "grpcio" and INSTALLED
        self._grpcio = new_server(max_request_bytes)
        self._addresses: list[str] = []
        self._natives: list[NativeFront] = []
        self._directory: Path | None = None

    def bind(self, address: str) -> None:
        """Listen on `host:port` or `unix:/path`; StartError when it cannot be had."""
        if self._use_native and not address.startswith(UNIX):
            self._natives.append(NativeFront(address))
        else:
            listen(self._grpcio, address)
            self._addresses.append(address)

    async def start(self, edge: Edge) -> None:
        """Answer calls from here on."""
        await add_services(self._grpcio, edge)
        socket = self._fallback() if self._natives else ""
        await self._grpcio.start()
        for front in self._natives:
            front.start(edge, SERVICES, socket)

    async def stop(self, grace: float) -> None:
        """Take no more calls, let those in progress end for so many seconds, and close."""
        await asyncio.gather(
            self._grpcio.stop(grace), *(front.stop(grace) for front in self._natives)
        )
        self._natives.clear()
        for address in self._addresses:
            forget(address)
        self._addresses.clear()
        if self._directory:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def _fallback(self) -> str:
        """Let the grpcio server listen for the native fronts, where nobody else may connect."""
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-grpc-"))
        path = str(self._directory / "fallback.sock")
        self._grpcio.add_insecure_port(f"{UNIX}{path}")
        return path
