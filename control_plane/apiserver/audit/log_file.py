"""The audit log as a file of JSON lines, which is put aside when it has grown.

    audit.log ── too large ──▶ audit-2026-01-02T03-04-05.678.log(.gz)

Old ones go when there are too many or when they are too old. Each line is one write, so that
whoever follows the file sees whole lines. "-" is standard output, which is not put aside.
Source of the names and the rules: lumberjack, as kube-apiserver uses it.
"""

import contextlib
import datetime
import gzip
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from control_plane.api.objects import Object
from control_plane.apiserver.audit.auditor import BackendError

MEGABYTE = 1024 * 1024
DEFAULT_MAX_MEGABYTES = 100
STDOUT = "-"
_STAMP = re.compile(r"-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3})$")
_FORMAT = "%Y-%m-%dT%H-%M-%S"


@dataclass(frozen=True, slots=True)
class Rotation:
    """When files are put aside and when they go; 0 days or backups is no limit."""

    max_megabytes: int = 0  # 0: DEFAULT_MAX_MEGABYTES
    max_days: int = 0
    max_backups: int = 0
    compresses: bool = False

    @property
    def max_bytes(self) -> int:
        """The size beyond which a file is put aside."""
        return (self.max_megabytes or DEFAULT_MAX_MEGABYTES) * MEGABYTE


NO_ROTATION = Rotation()


class LogFile:
    """Appends to the file at `path`, made with mode 0600."""

    def __init__(
        self, path: str, rotation: Rotation, clock: Callable[[], datetime.datetime]
    ) -> None:
        """Open it; raises OSError."""
        self._path = Path(path)
        self._rotation = rotation
        self._clock = clock
        self._is_stdout = path == STDOUT
        self._descriptor = 1
        self._size = 0
        if not self._is_stdout:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open()

    async def deliver(self, events: Sequence[Object]) -> None:
        """Append events, each as a line; raises BackendError."""
        try:
            for event in events:
                self.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            raise BackendError(f"{self._path}: {error.strerror or error}", "log") from error

    async def close(self) -> None:
        """Close the file."""
        self._shut()

    def write(self, line: bytes) -> None:
        """Append a line, in a new file where it would grow too large; raises OSError."""
        is_full = self._size and self._size + len(line) > self._rotation.max_bytes
        if is_full and not self._is_stdout:
            self._put_aside()
        written = 0
        while written < len(line):
            written += os.write(self._descriptor, line[written:])
        self._size += len(line)

    def _shut(self) -> None:
        if not self._is_stdout and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _put_aside(self) -> None:
        moment = self._clock()
        stamp = f"{moment.strftime(_FORMAT)}.{moment.microsecond // 1000:03d}"
        aside = self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")
        self._shut()
        self._path.rename(aside)
        self._open()
        if self._rotation.compresses:
            _compress(aside)
        for old in self._expired(moment):
            old.unlink(missing_ok=True)

    def _expired(self, now: datetime.datetime) -> Sequence[Path]:
        rotation = self._rotation
        files = sorted(self._asides(), reverse=True)
        gone = files[rotation.max_backups :] if rotation.max_backups else []
        if rotation.max_days:
            oldest = now - datetime.timedelta(days=rotation.max_days)
            stamp = oldest.strftime(_FORMAT)
            gone += [file for file in files if file[0] < stamp]
        return [path for _, path in gone]

    def _asides(self) -> list[tuple[str, Path]]:
        """The files put aside, with the moments in their names."""
        found = []
        for path in self._path.parent.glob(f"{self._path.stem}-*"):
            name = path.name.removesuffix(".gz").removesuffix(self._path.suffix)
            stamp = _STAMP.search(name)
            if stamp and name == f"{self._path.stem}-{stamp[1]}":
                found.append((stamp[1], path))
        return found


def _compress(path: Path) -> None:
    packed = path.with_name(f"{path.name}.gz")
    with contextlib.suppress(OSError):  # it stays as it is
        with path.open("rb") as plain, gzip.open(packed, "wb") as target:
            shutil.copyfileobj(plain, target)
        packed.chmod(0o600)
        path.unlink()
