"""Connections to a pod's own localhost: sockets made in the network namespace of its sandbox.

A socket belongs to the namespace in which it was made, whichever thread uses it later. So a thread
of its own enters the namespace, makes the socket and ends; it never comes back, so that no other
code can find itself in a pod's network. It takes root on the machine that the engine runs on;
`enter` says by OSError when that is not so.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
from concurrent.futures import Future
from pathlib import Path

from control_plane.streams.wire import SocketWire
from node.kubelet.runtimes.base import RuntimeFailure

CONNECT_SECONDS = 10.0
_CLONE_NEWNET = 0x40000000
_FAMILIES = (
    ("IPv4", "tcp4", socket.AF_INET, "127.0.0.1"),
    ("IPv6", "tcp6", socket.AF_INET6, "::1"),
)


def is_process_of(pid: int, container_id: str) -> bool:
    """Whether `pid` is, on this machine, a process of that container."""
    try:
        return bool(pid) and container_id in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


async def connect_within(pid: int, port: int) -> SocketWire:
    """Connect to `port` of localhost in the network namespace of process `pid`.

    IPv4 first, then IPv6. RuntimeFailure tells of both; OSError when the namespace is closed to us.
    """
    reasons = []
    for name, network, family, host in _FAMILIES:
        try:
            return await _connect(await _socket_within(pid, family), host, port)
        except _Refused as error:
            shown = f"[{host}]" if ":" in host else host
            reasons.append(f"{name}: dial {network} {shown}:{port}: connect: {error}")
    raise RuntimeFailure(f"failed to connect to localhost:{port} in the pod, {' '.join(reasons)}")


async def connect_to(host: str, port: int) -> SocketWire:
    """Connect to a pod's address, from the node; raises RuntimeFailure."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return SocketWire(*await asyncio.open_connection(host, port))
    except OSError as error:
        raise RuntimeFailure(f"dial tcp {host}:{port}: {_reason(error)}") from error


class _Refused(Exception):
    """Nothing listens there, in the words of the operating system."""


async def _connect(made: socket.socket, host: str, port: int) -> SocketWire:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_connect(made, (host, port))
            return SocketWire(*await asyncio.open_connection(sock=made))
    except OSError as error:
        made.close()
        raise _Refused(_reason(error)) from error
    except BaseException:
        made.close()
        raise


def _reason(error: OSError) -> str:
    if error.errno is None:
        return "no answer in time" if isinstance(error, TimeoutError) else str(error)
    return os.strerror(error.errno).lower()


async def _socket_within(pid: int, family: socket.AddressFamily) -> socket.socket:
    made: Future[socket.socket] = Future()
    threading.Thread(target=_make_socket, args=(pid, family, made), daemon=True).start()
    return await asyncio.wrap_future(made)


def _make_socket(pid: int, family: socket.AddressFamily, made: Future[socket.socket]) -> None:
    """The whole life of a thread: it ends in the namespace that it entered."""
    try:
        _enter(pid)
        found = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    except OSError as error:
        made.set_exception(error)
        return
    if not made.set_running_or_notify_cancel():
        found.close()
        return
    made.set_result(found)


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if libc.setns(namespace, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(namespace)
