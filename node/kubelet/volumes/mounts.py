"""The machine's mounts: what is mounted below a directory, mounting a tmpfs, unmounting.

Called by volumes/empty_dir.py and volumes/pod_volumes.py. The kernel's table is asked, not the
directory: it also knows what is mounted over another mount, and what a container put there.
Everything here blocks; call it in a thread, which finishes even when its caller is cancelled.

Source: proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from node.kubelet.volumes.base import VolumeFailure

MOUNT_TABLE = Path("/proc/self/mountinfo")
_MOUNT_POINT = 4  # the fifth field
_ESCAPE = re.compile(r"\\([0-7]{3})")  # how blanks and backslashes are written


def mounts_below(directory: Path, table: Path = MOUNT_TABLE) -> list[Path]:
    """Return the mount points at or below `directory`, in the order in which to unmount them."""
    top = directory.resolve()
    points = [_mount_point(line) for line in table.read_text().splitlines()]
    return [point for point in reversed(points) if point.is_relative_to(top)]


def mount_memory(directory: Path, options: str) -> str:
    """Mount a tmpfs; return what went wrong, "" when nothing did."""
    return _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory))


def unmount_below(directory: Path) -> None:
    """Unmount all there is at or below `directory`; raises VolumeFailure for the first that
    stays.
    """
    for point in mounts_below(directory):
        if problem := _run("umount", str(point)):
            raise VolumeFailure(f"cannot unmount {point}: {problem}")


def _mount_point(line: str) -> Path:
    text = line.split(" ")[_MOUNT_POINT]
    return Path(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), text))


def _run(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except FileNotFoundError:
        return f"there is no {command[0]} command"
    return (done.stdout.strip() or f"exit code {done.returncode}") if done.returncode else ""
