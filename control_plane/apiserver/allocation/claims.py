"""What one write has claimed, given back if the write does not happen."""

from collections.abc import Awaitable, Callable

Undo = Callable[[], Awaitable[None]]


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

    async def settle(self, *, happened: bool) -> None:
        """Release what is not needed: the new claims, or the old ones."""
        for release in self._ended if happened and not self._is_abandoned else self._undo:
            await release()
