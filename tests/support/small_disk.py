"""A disk of a few MiB for a test of its own: a tmpfs, which only root can mount."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.servers import missing_server

MIB = 1 << 20
ATTEMPTS = 100


class SmallDisk:
    """A mounted file system; it and all that is on it go away at the end."""

    def __init__(self, mebibytes: int) -> None:
        self._size = mebibytes
        self.path = Path(tempfile.mkdtemp(prefix="tapir-disk-"))

    @property
    def free(self) -> int:
        """Bytes that are free."""
        return shutil.disk_usage(self.path).free

    def fill(self, leave: int) -> Path:
        """Make a file that leaves so many bytes free, and return it; remove it to make room."""
        filler = self.path / "filler"
        with filler.open("ab") as file:
            for _ in range(ATTEMPTS):  # a server that writes meanwhile leaves less than was seen
                with suppress(OSError):
                    size = file.tell() + max(self.free - leave, 0)
                    os.posix_fallocate(file.fileno(), 0, size)
                    return filler
        raise AssertionError(f"{self.path} cannot be filled")

    def __enter__(self) -> Self:
        size = f"size={self._size}m"
        command = ["mount", "-t", "tmpfs", "-o", size, "tapir-test", str(self.path)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
            self.path.rmdir()
            missing_server("a small disk cannot be mounted: that needs root")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)
        self.path.rmdir()
