"""hostPath: a file or directory of the node, checked against its type."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from node.kubelet.volumes.base import VolumeFailure, VolumeRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHECKS: Mapping[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "FileOrCreate": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


async def prepare_host_path(request: VolumeRequest) -> Path:
    """Return the path, created when its type says so; a missing one without type is a directory."""
    path, kind = Path(request.source["path"]), request.source.get("type") or ""
    try:
        await asyncio.to_thread(_check, path, kind)
    except OSError as error:
        raise VolumeFailure(f"hostPath {path}: {error.strerror}") from error
    return path


def _check(path: Path, kind: str) -> None:
    if not path.exists():
        if kind in ("", "DirectoryOrCreate"):
            path.mkdir(parents=True, mode=0o755)
        elif kind == "FileOrCreate":
            path.touch(mode=0o644)
    if not kind:
        return
    if kind not in _CHECKS:
        raise VolumeFailure(f"hostPath type {kind} is not supported")
    matches, article = _CHECKS[kind]
    if not path.exists() or not matches(path.stat().st_mode):
        raise VolumeFailure(f"hostPath type check failed: {path} is not {article}")
