"""Which signal ends a command whose client has left."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node.kubelet.runtimes.docker_process import hangup_of


@contextmanager
def grandchild(handling: signal.Handlers) -> Iterator[int]:
    """The pid of a process whose parent, a shell, handles SIGHUP so."""
    shell = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo $!; wait"],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, handling),
    )
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    try:
        yield pid
    finally:
        shell.send_signal(signal.SIGKILL)
        subprocess.run(["kill", "-KILL", str(pid)], check=False)
        shell.stdout.close()
        shell.wait()


@pytest.mark.parametrize(
    ("handling", "expected"),
    [(signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, signal.SIGTERM)],
    ids=["an engine as usual", "an engine that nohup started"],
)
def test_the_signal(handling: signal.Handlers, expected: signal.Signals) -> None:
    with grandchild(handling) as pid:
        assert hangup_of(pid) is expected
