"""The keys and certificates of a cluster in a snapshot: a tar between the store and the checksum.

With them one file is all that a cluster needs to be had back. They come in and out only on request:
`save` packs a directory (`data/pki` of `tapir up`, `/etc/kubernetes/pki`), `restore` makes a
directory of them that only its owner may read, whole or not at all.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.tools.snapshot_file import BadSnapshot, layout_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "pki"  # what the names in the tar begin with
PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700
MOST_BYTES = 16 << 20  # keys and certificates have some kilobytes each


class CannotPack(ConfigError):
    """A directory's files cannot go into a snapshot; the message names what is in the way."""


def pack(directory: Path) -> bytes:
    """Return a tar of a directory's files; CannotPack when there is none or one is no file."""
    made = io.BytesIO()
    try:
        files = [path for path in sorted(directory.rglob("*")) if not _is_directory(path)]
        with tarfile.open(fileobj=made, mode="w") as tar:
            for path in files:
                _add(tar, path, f"{ROOT}/{path.relative_to(directory).as_posix()}")
                if made.tell() > MOST_BYTES:
                    raise CannotPack(
                        f"{directory} holds more than {MOST_BYTES >> 20} MiB: give the directory "
                        "of keys and certificates alone"
                    )
    except OSError as error:
        raise CannotPack(f"{error.filename or directory}: {error.strerror}") from error
    if not files:
        why = "holds no files" if directory.is_dir() else "is no directory"
        raise CannotPack(f"{directory} {why}: give that of the keys, such as data/pki")
    return made.getvalue()


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if path.is_symlink() or not path.is_file():
        raise CannotPack(f"{path} is no plain file: put the file itself there")
    content = path.read_bytes()
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), PRIVATE_FILE
    member.mtime = int(path.stat().st_mtime)
    tar.addfile(member, io.BytesIO(content))


def names_in(snapshot: Path) -> list[str]:
    """Return the names of the keys and certificates in a snapshot, none when it has none."""
    return [str(name) for name, _ in _read(snapshot)]


@contextmanager
def unpacked(snapshot: Path, directory: Path) -> Iterator[None]:
    """Write the files of a snapshot beside `directory`, which they become when the block is done.

    BadSnapshot when there are none, ConfigError when the directory has something in it already. A
    block that fails leaves nothing.
    """
    files = _read(snapshot)
    if not files:
        raise BadSnapshot(f"{snapshot} has no keys: it was saved without --with-pki")
    part = _place_beside(directory)
    try:
        for name, content in files:
            _write(part / name, content)
        _sync_directories(part)
        yield
        os.replace(part, directory)
        _sync(directory.parent)
    except OSError as error:
        raise ConfigError(f"{error.filename or directory}: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _place_beside(directory: Path) -> Path:
    try:
        if os.path.lexists(directory) and (not _is_directory(directory) or os.listdir(directory)):
            raise ConfigError(f"{directory} exists already: restore the keys to another directory")
        return Path(mkdtemp(prefix=f".{directory.name}.", suffix=".part", dir=directory.parent))
    except OSError as error:
        raise ConfigError(f"{error.filename or directory}: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, PRIVATE_FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directories(top: Path) -> None:
    for path in (top, *(path for path in top.rglob("*") if path.is_dir())):
        _sync(path)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(snapshot: Path) -> list[tuple[PurePosixPath, bytes]]:
    """Return the files in a snapshot, by names below the directory that they came from."""
    store, size = layout_of(snapshot)
    if not size:
        return []
    if size > 2 * MOST_BYTES:
        raise BadSnapshot(f"{snapshot} is damaged: its keys have {size} bytes: use another copy")
    try:
        with snapshot.open("rb") as file:
            file.seek(store)
            data = file.read(size)
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            return [(_below(snapshot, one.name), _content(tar, one)) for one in tar if one.isreg()]
    except tarfile.TarError as error:
        raise BadSnapshot(f"{snapshot} is damaged: its keys: {error}: use another copy") from error
    except OSError as error:
        raise BadSnapshot(f"{snapshot}: {error.strerror}") from error


def _below(snapshot: Path, name: str) -> PurePosixPath:
    parts = PurePosixPath(name).parts
    if len(parts) < 2 or parts[0] != ROOT or ".." in parts or "\0" in name:
        raise BadSnapshot(f"{snapshot} is not as it was saved: it has a key called {name!r}")
    return PurePosixPath(*parts[1:])


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, "a regular file"
    return file.read()
