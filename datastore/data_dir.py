"""The data directory: where a SQLite store lies when no database was named, as etcd's does.

It is made when it is missing. One that holds etcd's own files is refused: an empty store must not
take the place of a full one unnoticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path

STORE = "store.db"
ETCD_FILES = "member"


def endpoint_in(directory: Path) -> str:
    """Return the database URL of the store in a directory."""
    return f"sqlite:///{directory.absolute() / STORE}"


def prepare(directory: Path) -> None:
    """Make a directory fit for a store; StartError says why it is not."""
    if (directory / ETCD_FILES).exists():
        raise StartError(
            f"--data-dir {directory} holds etcd's own data: give another directory, or see "
            "docs/datastore.md for how to take the keys along"
        )
    if directory.is_file():
        raise StartError(
            f"--data-dir {directory} is a file: give the directory that it is in, or a database by "
            f"its name with --endpoint sqlite:///{directory}"
        )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"--data-dir {directory}: {error.strerror}") from error
