"""strace on a running server: what it asked of the system, in order; or with a fault put in."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.servers import missing_server

LINE = re.compile(r"^(\d+) +(.*)$")
BYTES_SHOWN = 8_192


def shown(data: bytes) -> str:
    """Return bytes as strace shows them, also those of a file's name."""
    return "".join(f"\\x{byte:02x}" for byte in data)


@dataclass(frozen=True, slots=True)
class Call:
    """A system call: its text, and the numbers of the lines where it began and ended."""

    name: str
    text: str
    start: int
    end: int

    def mentions(self, data: bytes) -> bool:
        """Say whether bytes are among those that the call read or wrote."""
        return shown(data) in self.text


class Strace:
    """strace attached to a process and all its threads until the block ends."""

    def __init__(self, pid: int, output: Path, flags: Sequence[str]) -> None:
        if shutil.which("strace") is None:
            missing_server("strace is not installed (Debian package strace)")
        self._output = output
        self._command = [
            *("strace", "-f", "-yy", "-xx", "-s", str(BYTES_SHOWN)),
            *flags,
            *("-o", str(output), "-p", str(pid)),
        ]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        if "attached" not in said:
            self._process.wait()
            self._process.stderr.close()
            missing_server(f"strace may not look at another process: {said.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        assert self._process.stderr is not None
        self._process.stderr.read()
        self._process.wait()
        self._process.stderr.close()

    def calls(self) -> list[Call]:
        """Return the calls in the order in which they began."""
        lines = self._output.read_text(errors="replace").splitlines()
        return sorted(parse(lines), key=lambda call: call.start)


def parse(lines: Sequence[str]) -> Iterator[Call]:
    """Yield the calls of a trace; those cut in two by other threads are put together again."""
    unfinished: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        found = LINE.match(line)
        if found is None:
            continue
        thread, text = found.groups()
        start = number
        if text.startswith("<..."):
            start, before = unfinished.pop(thread, (number, ""))
            text = before + text.partition("resumed>")[2]
        elif text.endswith("<unfinished ...>"):
            unfinished[thread] = (number, text.removesuffix("<unfinished ...>"))
            continue
        if "(" in text:
            yield Call(text.partition("(")[0], text, start, number)
    for start, text in unfinished.values():  # begun, and strace was gone when they ended
        yield Call(text.partition("(")[0], text, start, len(lines))
