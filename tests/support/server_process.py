"""A server that tests run as a process: started, watched until it serves, stopped by pid.

Used by etcd.py and datastore.py, which say what to run. Output goes to a file beside the data,
so that a server that dies at its start can be quoted in the failure.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import grpc

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc

NAMELESS = "user name is empty"
START_SECONDS = 120.0  # on a busy machine the imports alone may take a quarter of it
STOP_SECONDS = 60.0


class ServerDied(Exception):
    """The process ended before it served; the text quotes the end of its output."""


class Spawned(Protocol):
    """What is used here of a subprocess.Popen."""

    @property
    def pid(self) -> int: ...

    @property
    def args(self) -> Any: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def kill(self) -> None: ...


class ServerProcess:
    """One running server that speaks the etcd API in plaintext on 127.0.0.1.

    `wait` returns when a Range has been answered and raises ServerDied when the process ends
    first or does not serve within START_SECONDS. `stop` sends SIGTERM (SIGKILL after
    STOP_SECONDS), `kill` SIGKILL; both wait for the end and may be called twice.
    """

    def __init__(
        self,
        argv: Sequence[str],
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = port
        self.log = log
        self._argv = list(argv)
        self._environment = {**os.environ, **(environment or {})}
        self._process = self._spawn()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def address(self) -> str:
        """host:port, as gRPC wants it."""
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        """The client URL, as --etcd-servers wants it."""
        return f"http://{self.address}"

    def wait(self) -> None:
        """Return when the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerDied(f"{self._process.args!r} does not serve: {self._last_words()}")
            time.sleep(0.02)
        self._first_answer(deadline)

    def stop(self) -> int:
        """End the process politely and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the process at once and return its exit code."""
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def restart(self, kill: bool) -> None:
        """End the process, by SIGKILL or politely, start it again, and return when it answers."""
        if kill:
            self.kill()
        else:
            self.stop()
        self._process = self._spawn()
        self.wait()

    def _spawn(self) -> Spawned:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._argv,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._environment,
            )

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _first_answer(self, deadline: float) -> None:
        """Wait for an answer: a server whose database is slow may be UNAVAILABLE at first."""
        with grpc.insecure_channel(self.address) as channel:
            while error := self._asked(channel, max(1.0, deadline - time.monotonic())):
                late = time.monotonic() > deadline or self._process.poll() is not None
                if late or error.code() is not grpc.StatusCode.UNAVAILABLE:
                    self.kill()
                    raise ServerDied(
                        f"{self._process.args!r}: {error}: {self._last_words()}"
                    ) from error
                time.sleep(0.1)

    def _asked(self, channel: grpc.Channel, seconds: float) -> grpc.RpcError | None:
        """Return why it does not answer; that it wants to know who asks is an answer."""
        try:
            rpc_pb2_grpc.KVStub(channel).Range(
                pb.RangeRequest(key=b"\0"), timeout=seconds, wait_for_ready=True
            )
        except grpc.RpcError as error:
            return None if NAMELESS in str(error) else error
        return None

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]
