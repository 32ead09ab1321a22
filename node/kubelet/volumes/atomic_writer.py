"""Files that change all at once: a directory of symlinks through `..data`.

    <vol>/..2026_01_02_15_04_05.123456789/   the files, with their exact modes
    <vol>/..data -> ..2026_01_02_…           replaced by a rename
    <vol>/key    -> ..data/key               one link for each first path element

A reader that follows the links sees the old set or the new one, never a mixture. Blocking; call it
in a thread. Called by volumes/pod_volumes.py. Source: kubernetes pkg/volume/util/atomic_writer.go.
"""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from node.kubelet.volumes.base import FileContent, Payload, VolumeFailure

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

DATA_LINK, NEW_DATA_LINK = "..data", "..data_tmp"


def write_payload(
    directory: Path, payload: Payload, now: datetime, fs_group: int | None = None
) -> bool:
    """Make `directory` show `payload`; return whether anything was written.

    With fs_group, files belong to that group and are readable by it. Raises VolumeFailure for a
    path that leaves the volume, OSError when the disk refuses.
    """
    for path in payload:
        _check_path(path)
    directory.mkdir(parents=True, exist_ok=True)
    current = directory / DATA_LINK
    old = directory / os.readlink(current) if current.is_symlink() else None
    if old is not None and old.is_dir() and _read(old, payload) == _wanted(payload, fs_group):
        return False
    fresh = directory / f"..{now:%Y_%m_%d_%H_%M_%S}.{secrets.randbelow(10**9):09d}"
    _write_files(fresh, payload, fs_group)
    temporary = directory / NEW_DATA_LINK
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(fresh.name)
    temporary.rename(current)
    _link_names(directory, {path.split("/", 1)[0] for path in payload})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise VolumeFailure(f"invalid path: {path!r} must be relative and stay in the volume")


def _wanted(payload: Payload, fs_group: int | None) -> dict[str, tuple[bytes, int]]:
    return {path: (file.data, _mode(file, fs_group)) for path, file in payload.items()}


def _mode(file: FileContent, fs_group: int | None) -> int:
    return file.mode if fs_group is None else file.mode | 0o440


def _read(root: Path, payload: Payload) -> dict[str, tuple[bytes, int]]:
    """Return what is on disk; more than the payload's size is cut, it differs already."""
    limits = {path: len(file.data) + 1 for path, file in payload.items()}
    found = {}
    for path in root.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(root))
            with path.open("rb") as file:
                found[name] = (file.read(limits.get(name, 1)), path.stat().st_mode & 0o7777)
    return found


def _write_files(root: Path, payload: Payload, fs_group: int | None) -> None:
    root.mkdir()
    root.chmod(0o755)
    for name, file in payload.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if file.owner is not None or fs_group is not None:
            group = -1 if fs_group is None else fs_group
            os.chown(path, -1 if file.owner is None else file.owner, group)
        path.chmod(_mode(file, fs_group))


def _link_names(directory: Path, names: set[str]) -> None:
    for name in os.listdir(directory):
        if not name.startswith("..") and name not in names:
            (directory / name).unlink()
    for name in names:
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(f"{DATA_LINK}/{name}")
