"""The data directory: a marker that says it is ours, and a lock that says who uses it.

    data/tapir.json     {"format": 1}; a directory with other files but no marker is not touched
    data/tapir.lock     held while a `tapir up` runs on the directory

Databases of `tapir datastore` may lie in a directory that has no marker yet.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tapir.up.config import ConfigError

FORMAT = 1
MARKER = "tapir.json"
LOCK = "tapir.lock"
DATABASE_SUFFIXES = (".db", ".db-wal", ".db-shm", ".db.lock", ".db-lock", ".lock")


class Claim:
    """A data directory in this process's hands; `keep` says that it is in use from now on."""

    def __init__(self) -> None:
        """Start as a claim that leaves nothing behind when it is given up."""
        self.kept = False

    def keep(self) -> None:
        """Leave the directory as it is when the claim ends."""
        self.kept = True


@contextmanager
def claimed(directory: Path) -> Iterator[Claim]:
    """Hold `directory` for this process, after making or checking it.

    Raises ConfigError, having changed nothing, when the directory is not ours, is newer than this
    program, cannot be written, or is in use. What was made here is removed again unless the claim
    was kept.
    """
    try:
        _check(directory)
        made = _missing(directory)
        lock = _open_lock(directory)
    except OSError as error:
        raise ConfigError(
            f"data directory {directory}: {error.strerror}: choose another with --data-dir"
        ) from error
    try:
        _lock(lock, directory)
        if not (directory / MARKER).exists():
            (directory / MARKER).write_text(json.dumps({"format": FORMAT}) + "\n")
        claim = Claim()
        try:
            yield claim
        finally:
            if not claim.kept:
                _remove(made)
    finally:
        os.close(lock)


def _missing(directory: Path) -> list[Path]:
    """Return what a claim makes, outermost first, of the directory and its files."""
    return [path for path in (directory, directory / LOCK, directory / MARKER) if not path.exists()]


def _open_lock(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _remove(made: list[Path]) -> None:
    """Remove what this process made; a directory only when nothing else is in it."""
    for path in reversed(made):
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _check(directory: Path) -> None:
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ConfigError(f"{directory} is not a directory: choose another with --data-dir")
    marker = directory / MARKER
    if marker.exists():
        _check_format(marker)
    elif any(not entry.name.endswith(DATABASE_SUFFIXES) for entry in directory.iterdir()):
        raise ConfigError(
            f"{directory} is not empty and not a tapir data directory (no {MARKER}): "
            "choose another with --data-dir"
        )


def _check_format(marker: Path) -> None:
    try:
        version = json.loads(marker.read_text())["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{marker} is not readable as ours: restore it from a backup") from error
    if not isinstance(version, int) or version > FORMAT:
        raise ConfigError(
            f"{marker.parent} has format {version}, this program knows {FORMAT}: "
            "use the newer tapir that wrote it"
        )


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(
            f"{directory} is in use by another `tapir up`: stop it, or choose another --data-dir"
        ) from error
