"""A component says when it serves and when it stops, and no less than it was told to."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port


def store(tmp_path: Path, *flags: str) -> subprocess.Popen[str]:
    url = f"http://127.0.0.1:{free_port()}"
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tapir", "datastore", "--endpoint=sqlite:///x.db"),
            *("--listen-client-urls", url, *flags),
        ],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_datastore_says_that_it_serves_and_that_it_has_stopped(tmp_path: Path) -> None:
    with store(tmp_path) as process:
        assert process.stderr is not None
        ready = next(line for line in process.stderr if "ready to serve" in line)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()

    assert "INFO datastore.server ready to serve client requests" in ready
    assert "INFO datastore.server stopped taking calls" in rest
    assert process.returncode == 0


@pytest.mark.parametrize("command", ["apiserver", "scheduler", "controller-manager", "kubelet"])
def test_every_component_takes_a_level(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tapir", command, "--log-level=loud"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "--log-level: invalid choice: 'loud'" in done.stderr
