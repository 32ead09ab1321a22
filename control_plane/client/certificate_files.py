"""A certificate and its key in files, read again into a TLS context whenever they are replaced.

Connections that there are go on with what they began with. Used by whatever listens or calls for as
long as a certificate lives, and longer.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)


class CertificateFiles:
    """Calls `load` when one of `files` is another than it was; what fails is tried again."""

    def __init__(self, files: Iterable[Path], load: Callable[[], None]) -> None:
        """Take the files as they are now for read."""
        self._files = tuple(files)
        self._load = load
        self._seen = self._now()

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> bool:
        """Look once; whether the files were read again."""
        now = self._now()
        if now == self._seen:
            return False
        try:
            self._load()
        except Exception as error:  # noqa: BLE001  one of two files has been replaced so far
            log.info("certificate_unread file=%s error=%r", self._files[0], error)
            return False
        self._seen = now
        log.info("certificate_read_again file=%s", self._files[0])
        return True

    def _now(self) -> tuple[tuple[int, int], ...]:
        return tuple(_stamp(path) for path in self._files)


def _stamp(path: Path) -> tuple[int, int]:
    """What of a file changes when it is replaced; zeros while it is missing."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
