"""Fetching a snapshot from a running server, checked before it gets its name."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from contextlib import contextmanager, suppress
from tempfile import mkstemp
from typing import TYPE_CHECKING

import grpc

from datastore.tools.endpoint import CannotReach, Server, connect, credentials, said
from datastore.tools.snapshot_file import BLOCK, DIGEST
from datastore.tools.snapshot_pki import pack
from datastore.tools.snapshot_series import PART
from proto.etcd import rpc_pb2, rpc_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO


REMEDIES = {
    errno.ENOENT: "make the directory {directory}",
    errno.ENOTDIR: "{directory} is no directory: name one",
    errno.EACCES: "name a file in a directory that you may write to",
    errno.EROFS: "name a file in a directory that you may write to",
    errno.ENOSPC: "make room there, or name a file elsewhere",
    errno.EDQUOT: "make room there, or name a file elsewhere",
}


class CannotSave(CannotReach):
    """The snapshot cannot be had; the message says from where and why."""


def save(server: Server, path: Path, pki: Path | None = None) -> int:
    """Write a snapshot to a file, which it replaces, and return the size of the store in it.

    The files in the directory `pki` go in, too.
    """
    keys = pack(pki) if pki else b""
    try:
        with connect(server) as channel, _replacing(path) as file:
            return _fetch(channel, credentials(channel, server), file, keys)
    except grpc.RpcError as error:
        raise CannotSave(f"{server.endpoint}: {said(error)}") from error
    except OSError as error:
        raise CannotSave(_trouble(path, error)) from error


def _trouble(path: Path, error: OSError) -> str:
    """Name what was asked for, not the file that was to become it, and the remedy."""
    named = error.filename
    if named and not str(named).endswith(PART):
        return f"{named}: {error.strerror}"
    remedy = REMEDIES.get(error.errno or 0, "name another file")
    return f"{path}: {error.strerror}: {remedy.format(directory=path.parent)}"


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a new file, for its owner alone since it will hold secrets, and then its name to it.

    Until then its name is nobody else's, so another save of that file and a link that somebody left
    in a shared directory are not written to. After a failure it is gone; after a kill it is there,
    but not locked.
    """
    descriptor, part = mkstemp(prefix=f"{path.name}.", suffix=PART, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(part, path)
        _sync(path.parent)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def _sync(directory: Path) -> None:
    """Make the file's name as durable as its content."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fetch(
    channel: grpc.Channel, metadata: list[tuple[str, str]], file: BinaryIO, keys: bytes
) -> int:
    """Write every blob; the last one is the checksum of the others, and gives way to `keys`."""
    stub = rpc_pb2_grpc.MaintenanceStub(channel)
    digest, size, last = hashlib.sha256(), 0, b""
    for answer in stub.Snapshot(rpc_pb2.SnapshotRequest(), metadata=metadata):
        digest.update(last)
        file.write(last)
        size += len(last)
        last = answer.blob
    if len(last) != DIGEST or last != digest.digest() or size % BLOCK:
        raise CannotSave("the snapshot arrived damaged: try again")
    digest.update(keys)
    file.write(keys + digest.digest())
    return size
