"""How many seats a priority level wanted, over time. Pure: the time is an argument.

Demand is the seats in use and waited for. Of each period there are the mean, the deviation and the
peak; the smoothed demand follows a rise at once and a fall slowly. Source: the borrowing of API
priority and fairness, v1.35.
"""

import math

SMOOTHING = 0.977  # of one period of 10 s: half of a fall is forgotten after 5 minutes


class SeatDemand:
    """The demand of one level since the last `close`, and what came of the periods before."""

    def __init__(self, now: float) -> None:
        """Begin with no demand."""
        self.smoothed = 0.0
        self.peak = 0
        self._demand = 0
        self._highest = 0
        self._begun = self._since = now
        self._sum = self._squares = 0.0

    def observe(self, demand: int, now: float) -> None:
        """The demand is this from now on."""
        before = self._demand
        seat_seconds = before * (now - self._since)
        self._sum += seat_seconds
        self._squares += before * seat_seconds
        self._since, self._demand = now, demand
        if demand > self._highest:
            self._highest = demand

    def close(self, now: float) -> None:
        """End a period: bring `smoothed` and `peak` up to date and begin another one."""
        self.observe(self._demand, now)
        duration = now - self._begun
        self.peak = self._highest
        if duration > 0:
            mean = self._sum / duration
            deviation = math.sqrt(max(0.0, self._squares / duration - mean * mean))
            envelope = mean + deviation
            faded = SMOOTHING * self.smoothed + (1 - SMOOTHING) * envelope
            self.smoothed = max(envelope, faded)
        self._sum = self._squares = 0.0
        self._highest, self._begun = self._demand, now
