"""Whether the store's progress notifications of watches can be trusted.

Older etcds sent progress that overtook events, or none to watchers without events: a cache that
believed them would serve stale reads as fresh. The version they report decides.
Source: the feature check of kube-apiserver (etcd 3.4.31, 3.5.13 and later).
"""

import re

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import StoreError

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-.+)?")


def reports_progress(version: str) -> bool:
    """Whether a server of this version reports the progress of watches correctly."""
    match = _VERSION.fullmatch(version.removeprefix("v"))
    if match is None:
        return False
    major, minor, patch = (int(part) for part in match.groups()[:3])
    if match.group(4):
        patch -= 1  # 3.5.13-rc.1 comes before 3.5.13
    number = (major, minor, patch)
    return (3, 4, 31) <= number < (3, 5, 0) or number >= (3, 5, 13)


class ProgressGate:
    """Asks the store for its version once; a store that does not answer is asked again."""

    def __init__(self, etcd: EtcdClient) -> None:
        """Decide later, at the first question."""
        self._etcd = etcd
        self._answer: bool | None = None

    @property
    def is_known_open(self) -> bool:
        """Whether the store has been asked, and may be asked for progress."""
        return self._answer is True

    async def is_open(self) -> bool:
        """Whether progress may be asked for and believed."""
        if self._answer is None:
            try:
                versions = await self._etcd.versions()
            except StoreError:
                return False
            self._answer = all(map(reports_progress, versions))
        return self._answer
