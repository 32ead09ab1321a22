"""Processes in containers as ProcessStreams: what exec and attach on a Docker Engine hand out.

Called by runtimes/docker.py; the streaming server and exec probes read and write them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiodocker

from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.runtimes.engine import engine_errors

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
