"""A series of snapshots: files in one directory with the time in their names, the newest kept.

`tapir snapshot save` writes to a series when it is given a directory, or a name with `{time}` in
it. `rotate` deletes only files with such a name that look like snapshots, never a link, and never
the one that was just saved, whatever the clock has done since the others.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import ConfigError
from datastore.tools.snapshot_file import looks_like_one

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

TIME = "{time}"
IN_A_DIRECTORY = f"snapshot-{TIME}.db"
STAMP = "%Y%m%dT%H%M%SZ"  # of UTC: names in order are times in order
PART = ".part"  # of a save that is not done, or was killed
_STAMPED = r"(?P<time>\d{8}T\d{6}Z)"
_UNFINISHED = rf"\.[a-z0-9_]+{re.escape(PART)}"


class CannotRotate(ConfigError):
    """An old snapshot cannot be removed, or there is no series; the message says why."""


class Series(NamedTuple):
    """The names `before`, a time, `after` in a directory."""

    directory: Path
    before: str
    after: str

    def name(self, now: datetime) -> Path:
        """Return the path of a snapshot that is saved now."""
        stamp = now.astimezone(UTC).strftime(STAMP)
        return self.directory / f"{self.before}{stamp}{self.after}"

    def rotate(self, keep: int, newest: Path) -> list[Path]:
        """Keep `newest` and the `keep` - 1 latest of the others; return what was removed.

        What killed saves of this series have left goes too.
        """
        try:
            for path in self._matching(_UNFINISHED):
                _remove_unless_locked(path)
            others = [path for path in self._matching("") if path != newest]
            old = [path for path in others[keep - 1 :] if looks_like_one(path)]
            for path in old:
                path.unlink(missing_ok=True)  # another rotation may have been faster
        except OSError as error:
            raise CannotRotate(
                f"{newest} is saved, but {error.filename}: {error.strerror}: remove it by hand"
            ) from error
        return old

    def _matching(self, end: str) -> list[Path]:
        """Return the files of this series whose names go on with `end`, the latest first."""
        name = re.compile(f"{re.escape(self.before)}{_STAMPED}{re.escape(self.after)}{end}", re.A)
        found = [
            (match["time"], path) for path in self._files() if (match := name.fullmatch(path.name))
        ]
        return [path for _, path in sorted(found, reverse=True)]

    def _files(self) -> Iterator[Path]:
        with os.scandir(self.directory) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield self.directory / entry.name


def series_of(path: Path) -> Series | None:
    """Return the series that a path stands for; None when it is the name of one file."""
    if path.is_dir():
        path = path / IN_A_DIRECTORY
    if TIME not in str(path):
        return None
    if path.name.count(TIME) != 1 or TIME in str(path.parent):
        raise CannotRotate(f"{path}: write {TIME} once, in the file's name")
    before, _, after = path.name.partition(TIME)
    return Series(path.parent, before, after)


def _remove_unless_locked(path: Path) -> None:
    """Remove what a save was writing, unless it still is: it holds a lock until the end."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)
