"""What a client that is turned away is told to wait: more while many are, less as it calms. Pure.

Source: the tracker of dropped requests in v1.35: doubled like TCP's back-off, then less by one.
"""

from collections import deque

LONGEST = 32


class RetryAfter:
    """The pause of one priority level, in seconds."""

    def __init__(self) -> None:
        """Begin with a second."""
        self.seconds = 1
        self._dropped: deque[tuple[int, int]] = deque()
        self._second = 0
        self._count = 0
        self._raised = 0

    def drop(self, now: float) -> None:
        """Count a request that was turned away at `now`."""
        second = int(now)
        if second == self._second:
            self._count += 1
            return
        self._dropped.append((self._second, self._count))
        while self._dropped and second - self._dropped[0][0] > LONGEST:
            self._dropped.popleft()
        self._second, self._count = second, 1
        self._adjust(second)

    def _adjust(self, second: int) -> None:
        dropped = sum(n for when, n in self._dropped if second - when <= self.seconds)
        may_rise = second - self._raised >= self.seconds
        if may_rise and dropped >= 3 * self.seconds:
            self.seconds = min(2 * self.seconds, LONGEST)
            self._raised = second
        elif dropped < self.seconds and self.seconds > 1:
            self.seconds -= 1
