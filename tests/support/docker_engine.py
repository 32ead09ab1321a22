"""A Docker Engine for the tests that need one: the machine's own, or one started for the run.

`DOCKER_HOST` names the engine for everything the tests start. An engine of ours keeps its images
and containers in a scratch directory and is stopped by pid, with its containers, when the run ends.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

DEFAULT_SOCKET = Path("/var/run/docker.sock")
SECONDS_TO_START = 90.0


def answers(path: Path) -> bool:
    """Whether an engine accepts connections on the unix socket at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


class DockerEngine:
    """Start with `start`, which sets DOCKER_HOST and says what is missing when it cannot."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None

    def start(self) -> str:
        """Return "" when an engine answers, else why there is none."""
        given = os.environ.get("DOCKER_HOST", f"unix://{DEFAULT_SOCKET}")
        if answers(Path(given.removeprefix("unix://"))):
            os.environ["DOCKER_HOST"] = given
            return ""
        if os.geteuid() != 0 or shutil.which("dockerd") is None:
            return "no Docker Engine answers, and starting one takes root and dockerd"
        return self._start_own()

    def _start_own(self) -> str:
        directory = self._directory = Path(tempfile.mkdtemp(prefix="tapir-docker-"))
        endpoint = directory / "docker.sock"
        log = (directory / "log").open("wb")
        self._process = subprocess.Popen(
            [
                "dockerd",
                f"--host=unix://{endpoint}",
                f"--data-root={directory / 'data'}",
                f"--exec-root={directory / 'exec'}",
                f"--pidfile={directory / 'pid'}",
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C stops the tests first, then this, in order
        )
        log.close()
        deadline = time.monotonic() + SECONDS_TO_START
        while not answers(endpoint):
            if self._process.poll() is not None or time.monotonic() > deadline:
                return f"dockerd did not start: {(directory / 'log').read_text()[-500:]}"
            time.sleep(0.1)
        os.environ["DOCKER_HOST"] = f"unix://{endpoint}"
        return ""

    def stop(self) -> None:
        """Stop an engine that `start` started, and forget its data."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=90)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
