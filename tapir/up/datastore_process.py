"""The embedded datastore: a child process, so that it has an interpreter lock of its own.

It listens on a unix socket of mode 0600 in the data directory and on nothing else. If it dies it is
started again; the API server's calls fail in between and then go on. It ignores Ctrl-C, which the
terminal sends to it too: this process stops it last, when nobody writes any more. When this process
is killed outright, the kernel stops the child (`tapir.parent`).
"""

import asyncio
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import grpc

from tapir.parent import PARENT
from tapir.up.config import ConfigError, UpConfig

LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 107 bytes; some room for gRPC's own suffixes
HEALTH = "/grpc.health.v1.Health/Check"
FRESH = (("grpc.use_local_subchannel_pool", 1),)  # an earlier probe's back-off is not ours
PROBE_SECONDS = 1.0
PAUSE_SECONDS = 0.01
SECONDS_TO_STOP = 10.0
SECONDS_BEFORE_RESTART = 1.0
CHILD_NAME = "tapir datastore"
IGNORING_CTRL_C = ("/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh")

logger = logging.getLogger(__name__)


class DatastoreProcess:
    """One `tapir datastore` child on `config.datastore`; `endpoint` is where it is reached."""

    def __init__(self, config: UpConfig) -> None:
        """Choose the socket; `start` starts the child."""
        self._config = config
        self._socket = _socket_path(config.data_dir)
        self._child: asyncio.subprocess.Process | None = None
        self._relay: asyncio.Task[None] | None = None
        self._last_line = ""

    @property
    def endpoint(self) -> str:
        """The child's only listener, as a client URL."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The child's process id; only after `start`."""
        assert self._child is not None
        return self._child.pid

    async def start(self) -> None:
        """Start the child and return once it listens.

        Raises ConfigError with the child's own line when it refuses its database.
        """
        self._socket.unlink(missing_ok=True)
        self._child = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(self._config),
        )
        self._relay = asyncio.create_task(self._relay_errors(self._child))
        while not await self._serves():
            if self._relay.done():
                code = await self._child.wait()
                raise ConfigError(self._last_line or f"the datastore ended with exit code {code}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _serves(self) -> bool:
        """Whether the child answers: its socket is there before its database has been opened."""
        if not self._socket.exists():
            return False
        async with grpc.aio.insecure_channel(f"unix:{self._socket}", options=FRESH) as channel:
            check: Any = channel.unary_unary(HEALTH)  # an empty request, as bytes
            try:
                await check(b"", timeout=PROBE_SECONDS)
            except grpc.aio.AioRpcError:
                return False
            return True

    async def keep_running(self) -> None:
        """Start the child again whenever it ends; runs until cancelled."""
        while True:
            assert self._child is not None
            code = await self._child.wait()
            logger.error("datastore ended code=%s action=restart", code)
            await asyncio.sleep(SECONDS_BEFORE_RESTART)
            try:
                await self.start()
            except (ConfigError, OSError) as error:
                logger.error("datastore restart=failed error=%s", error)

    async def _relay_errors(self, child: asyncio.subprocess.Process) -> None:
        """Pass on what the child says; a refusal to start is kept for the one line of `start`."""
        assert child.stderr is not None
        async for line in child.stderr:
            text = line.decode(errors="replace").rstrip()
            self._last_line = text.removeprefix(f"{CHILD_NAME}: ")
            if self._last_line == text:
                sys.stderr.write(text + "\n")

    async def stop(self) -> None:
        """Ask the child to finish and wait for it; kill it when it takes too long."""
        child = self._child
        if child is None:
            return
        if child.returncode is None:
            await self._terminate(child)
        if self._relay is not None:
            await self._relay

    async def _terminate(self, child: asyncio.subprocess.Process) -> None:
        child.terminate()
        try:
            async with asyncio.timeout(SECONDS_TO_STOP):
                await child.wait()
        except TimeoutError:
            logger.error("datastore stop=timeout seconds=%s action=kill", SECONDS_TO_STOP)
            child.kill()
            await child.wait()

    def _command(self) -> list[str]:
        flags = [
            f"--listen-client-urls={self.endpoint}",
            f"--log-level={self._config.log_level}",
        ]
        return [*IGNORING_CTRL_C, sys.executable, "-m", "tapir", "datastore", *flags]


def _socket_path(data_dir: Path) -> Path:
    path = data_dir / "datastore.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="tapir-")) / "datastore.sock"


def _environment(config: UpConfig) -> dict[str, str]:
    """What the child inherits: nothing that an etcd, or this process's systemd, has set.

    The database's URL may hold a password: a command line is everybody's to read, this is not.
    The child ties itself to this process: code of ours between fork and exec is not safe beside
    gRPC's threads.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ETCD_") and name != "NOTIFY_SOCKET"
    }
    named = {
        "ETCD_ENDPOINT": config.datastore,
        "ETCD_ENDPOINT_PASSWORD_FILE": config.datastore_password_file,
        PARENT: str(os.getpid()),
    }
    return inherited | {name: value for name, value in named.items() if value}
