"""The moment a client leaves: what is to be done then, once."""

from collections.abc import Callable


class Departure:
    """Of one connection. Callbacks added after the client has left are called at once."""

    __slots__ = ("_callbacks", "_has_happened")

    def __init__(self) -> None:
        """The client is there."""
        self._callbacks: list[Callable[[], None]] = []
        self._has_happened = False

    def add(self, callback: Callable[[], None]) -> None:
        """Call this when the client leaves; the requests of one connection come one by one."""
        if self._has_happened:
            callback()
        else:
            self._callbacks.append(callback)

    def discard(self, callback: Callable[[], None]) -> None:
        """Do not call it any more."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def happen(self) -> None:
        """The client has left."""
        self._has_happened = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()
