"""The limit without priority and fairness: so many requests at once that read, so many that write.

Nobody waits, and administrators are not limited. Source: the max-in-flight filter of v1.35.
"""

from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.flow_control.limiter import Headers, TurnedAwayError
from control_plane.apiserver.flow_control.work_estimate import Work
from control_plane.apiserver.http.departure import Departure

PAUSE_SECONDS = 1
READS = frozenset({"get", "list", "watch", "head"})


class Pool:
    """Room for `limit` requests, 0 being no limit."""

    def __init__(self, limit: int) -> None:
        """All of it is free."""
        self.limit = limit
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether there is no room."""
        return bool(self.limit) and self.taken >= self.limit


class Place:
    """One request's place in a pool."""

    __slots__ = ("_pool",)
    headers: Headers = ()
    waits = False

    def __init__(self, pool: Pool | None) -> None:
        """Take a place; without a pool there is nothing to take."""
        self._pool = pool
        if pool is not None:
            pool.taken += 1

    async def turn(self, patience: float, departure: Departure) -> None:
        """Nobody waits."""

    def release(self) -> None:
        """Give the place back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.taken -= 1


class InFlightLimit:
    """A Limiter of two pools."""

    def __init__(self, reads: int, writes: int) -> None:
        """The sizes of the pools; 0 is no limit."""
        self.reads, self.writes = Pool(reads), Pool(writes)

    def grant(self, user: User, asked: Attributes, work: Work) -> Place:
        """A place in the pool of the request's kind; raises TurnedAwayError when it is full."""
        del work
        if "system:masters" in user.groups:
            return Place(None)
        pool = self.reads if asked.verb in READS else self.writes
        if pool.is_full:
            raise TurnedAwayError(PAUSE_SECONDS)
        return Place(pool)
