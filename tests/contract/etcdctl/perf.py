"""`etcdctl check perf`, which puts for a minute: it runs beside the other tests of its target."""

import os
import subprocess

from tests.contract.etcdctl.program import etcdctl_program

SECONDS = 90.0  # it puts for 60, and tidies up


class PerfCheck:
    """One run with the smallest load, against a server of its own."""

    def __init__(self, endpoint: str) -> None:
        self._process = subprocess.Popen(
            [str(etcdctl_program()), f"--endpoints={endpoint}", "check", "perf", "--load=s"],
            env={**os.environ, "ETCDCTL_API": "3"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def said(self) -> str:
        """Wait for the end; return what it printed but for its progress bar, which ends in \\r."""
        output, _ = self._process.communicate(timeout=SECONDS)
        return "\n".join(line.rpartition("\r")[2].strip() for line in output.split("\n"))

    def close(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.communicate()
