"""kubectl as a process beside a stage whose servers run in the test's own event loop."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.node.stage import Stage

KUBECTL = Path(sys.executable).with_name("kubectl")
SWITCHES = ("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS")


@dataclass(frozen=True, slots=True)
class Done:
    """How kubectl ended."""

    code: int
    output: bytes
    errors: bytes


class Kubectl:
    """Runs kubectl as the administrator, with WebSockets or with SPDY."""

    def __init__(self, stage: Stage, *, sockets: bool) -> None:
        value = "true" if sockets else "false"
        self._environment = {**os.environ, **dict.fromkeys(SWITCHES, value)}
        self._flags = [str(KUBECTL), f"--kubeconfig={stage.server.kubeconfig}"]

    async def run(self, *words: str, stdin: bytes = b"") -> Done:
        process = await self._start(*words)
        output, errors = await process.communicate(stdin)
        return Done(process.returncode or 0, output, errors)

    @contextlib.asynccontextmanager
    async def forwarding(self, target: str, *ports: str) -> AsyncIterator[list[int]]:
        """Yield the local ports that `port-forward` has chosen for `ports`."""
        words = [f":{port}" for port in ports]
        process = await self._start("port-forward", "--address=127.0.0.1", target, *words)
        assert process.stdout is not None
        try:
            lines = [await process.stdout.readline() for _ in ports]
            yield [int(line.split(b" -> ")[0].rpartition(b":")[2]) for line in lines]
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *self._flags, *words, stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment
        )
