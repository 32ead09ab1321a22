"""Processes in containers as ProcessStreams: what exec and attach on a Docker Engine hand out.

Called by runtimes/docker.py; the streaming server and exec probes read and write them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiodocker

from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.runtimes.engine import engine_errors
from node.kubelet.runtimes.network_namespace import is_process_of

if TYPE_CHECKING:
    from aiodocker.containers import DockerContainer
    from aiodocker.execs import Exec

    from node.kubelet.runtimes.hijack import Hijacked

_INSPECT_TRIES = 5
_INSPECT_PAUSE_SECONDS = 0.2


class _Process:
    """The stream half that exec and attach share."""

    def __init__(self, stream: Hijacked) -> None:
        self._stream = stream

    async def read(self) -> tuple[int, bytes] | None:
        """Return the next output, or None at its end."""
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        """Send standard input."""
        await self._stream.write(data)

    async def close_stdin(self) -> None:
        """Let the process read end of file."""
        await self._stream.close_stdin()

    async def hang_up(self) -> None:
        """Leave the process alone."""

    async def close(self) -> None:
        """Let go of the connection."""
        await self._stream.close()


class ExecutedProcess(_Process):
    """A command started by exec."""

    def __init__(self, instance: Exec, stream: Hijacked) -> None:
        super().__init__(stream)
        self._instance = instance

    async def resize(self, width: int, height: int) -> None:
        """Resize the terminal; the engine refuses once the command ended, which is fine."""
        try:
            await self._instance.resize(h=height, w=width)
        except aiodocker.DockerError:
            return

    async def hang_up(self) -> None:
        """Send SIGHUP, as a terminal does that is closed; the engine has no call for it.

        An engine that nohup started has every process ignore SIGHUP: there SIGTERM is sent. Nothing
        happens where the engine's processes are not this machine's.
        """
        try:
            async with engine_errors():
                document = await self._instance.inspect()
        except RuntimeFailure:
            return
        pid = int(document.get("Pid") or 0)
        if document["Running"] and is_process_of(pid, document["ContainerID"]):
            with suppress(OSError):
                os.kill(pid, hangup_of(pid))

    async def exit_code(self) -> int | None:
        """Ask the engine until it knows the command has ended."""
        for _ in range(_INSPECT_TRIES):
            async with engine_errors():
                document = await self._instance.inspect()
            if not document["Running"]:
                return int(document["ExitCode"])
            # The output can end a moment before the engine notices the exit.
            await asyncio.sleep(_INSPECT_PAUSE_SECONDS)
        raise RuntimeFailure("the command closed its output but is still running")


class AttachedProcess(_Process):
    """The main process of a container."""

    def __init__(self, container: DockerContainer, stream: Hijacked) -> None:
        super().__init__(stream)
        self._container = container

    async def resize(self, width: int, height: int) -> None:
        """Resize the container's terminal."""
        try:
            await self._container.resize(h=height, w=width)
        except aiodocker.DockerError:
            return

    async def exit_code(self) -> int | None:
        """Return None: the exit code of the main process is the pod's business."""
        return None


def hangup_of(pid: int) -> signal.Signals:
    """SIGHUP, unless it is the parent of the process, the engine's shim, that ignores it."""
    parent = _status_field(pid, "PPid")
    ignored = int(_status_field(int(parent), "SigIgn"), 16)
    is_inherited = ignored >> (signal.SIGHUP - 1) & 1
    return signal.SIGTERM if is_inherited else signal.SIGHUP


def _status_field(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
