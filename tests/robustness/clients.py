"""The client processes (`load.py`) as the round that uses them sees them."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.datastore import REPOSITORY


class Client:
    """One client process; it asks any of the servers."""

    def __init__(self, addresses: Sequence[str], name: str, seed: int, *, turns: bool) -> None:
        """`turns`: it is the one that turns the gates (`gates.py`)."""
        module = "tests.robustness.load"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, ",".join(addresses), name, str(seed), str(int(turns))],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def go(self, token: str) -> None:
        """Begin the load, with root's token if authentication is on."""
        self._say(f"go {token}")

    def stop(self, path: Path) -> None:
        """End the load; its log is in the file when this returns."""
        self._say(f"stop {path}")
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "done\n", "a client process died"

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
