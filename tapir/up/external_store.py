"""The store of `--etcd-servers`, which somebody else runs: is it there?

Asked before the data directory is touched, so that a wrong URL changes nothing. Only a connection
is tried: what speaks there, and with which certificates, is the API server's to find out.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable

from control_plane.apiserver.etcd.endpoints import target
from tapir.up.config import ConfigError

SECONDS_TO_WAIT = 5.0
SECONDS_BETWEEN = 0.2


async def wait_for_store(servers: str, progress: Callable[[str], None]) -> None:
    """Return once one of the comma-separated `servers` takes connections.

    A store that was started at the same time gets some seconds; raises ConfigError after them, and
    at once for a URL that is none.
    """
    targets = _targets(servers)
    reason = await _trouble(targets)
    if not reason:
        return
    progress(f"waiting for the store {servers}: {reason}")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_WAIT):
            while reason:
                await asyncio.sleep(SECONDS_BETWEEN)
                reason = await _trouble(targets)
    if reason:
        raise ConfigError(
            f"--etcd-servers {servers}: {reason}: start that store first, or correct the URL"
        )


def _targets(servers: str) -> list[str]:
    urls = [url.strip() for url in servers.split(",") if url.strip()]
    if not urls:
        raise ConfigError("--etcd-servers is empty: give a URL such as http://127.0.0.1:2379")
    try:
        return [target(url) for url in urls]
    except ValueError as error:
        raise ConfigError(f"--etcd-servers: {error}") from error


async def _trouble(targets: list[str]) -> str:
    """Return why none of the gRPC targets takes a connection, or "" if one does."""
    reason = ""
    for name in targets:
        try:
            _, writer = await _connect(name)
        except OSError as error:
            reason = _text(error)
        else:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return ""
    return reason


async def _connect(name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if name.startswith("unix:"):
        return await asyncio.open_unix_connection(name.removeprefix("unix:"))
    host, _, port = name.rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port))


def _text(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)
