"""What one write has claimed, given back if the write does not happen.

Giving back never fails: a number that the store did not take back is lost to services, which the
log says, but the write it belonged to has had its outcome already.
"""

import logging
from collections.abc import Awaitable, Callable

from control_plane.apiserver.etcd.errors import StoreError

Undo = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)


class Claims:
    """Claims made for a write, and claims of the old object that the write ends."""

    def __init__(self) -> None:
        """Start with none."""
        self._undo: list[Undo] = []
        self._ended: list[Undo] = []
        self._is_abandoned = False

    def made(self, undo: Undo) -> None:
        """Note how to give back something just claimed."""
        self._undo.append(undo)

    def ended(self, release: Undo) -> None:
        """Note what to release once the write has happened."""
        self._ended.append(release)

    def abandon(self) -> None:
        """Say that the write did not happen after all."""
        self._is_abandoned = True

    def keep(self) -> None:
        """Say that nobody knows whether the write happened.

        Better a number that is lost than one that two services have.
        """
        self._undo = []

    async def settle(self, *, happened: bool) -> None:
        """Release what is not needed: the new claims, or the old ones."""
        for release in self._ended if happened and not self._is_abandoned else self._undo:
            await give_back(release)


async def give_back(release: Undo) -> None:
    """Run `release`; when the store fails it, say so in the log."""
    try:
        await release()
    except StoreError as error:
        logger.warning("a service's address or port stays taken: %s", error)
