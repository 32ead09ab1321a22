"""FlowControl: classify a request, wait for its seats, free them.

The shell around the pure parts of this package: it has the clock, the futures that requests wait
for, and the task that shares the seats anew. All of it runs on the event loop, and between two
awaits the counters agree. A request holds its seats from `grant` to the seat's `release`. Source:
the controller and filter of API priority and fairness, v1.35.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.flow_control.classification import Classifier
from control_plane.apiserver.flow_control.configuration import Configuration, configuration_of
from control_plane.apiserver.flow_control.counts import CANCELLED, QUEUE_FULL, TIMED_OUT
from control_plane.apiserver.flow_control.limiter import Headers, TurnedAwayError
from control_plane.apiserver.flow_control.priority_level import LevelSpec, PriorityLevel
from control_plane.apiserver.flow_control.queue_set import Ticket
from control_plane.apiserver.flow_control.seat_allocation import seat_bounds, share_out
from control_plane.apiserver.flow_control.work_estimate import Work
from control_plane.apiserver.http.departure import Departure
from control_plane.apiserver.http.request import ClientGoneError

MAX_WAITING = 10_000
ADJUST_SECONDS = 10.0
LONGEST_HOLD = 60.0
LONGEST_WAIT = 60.0


class Route(NamedTuple):
    """Where requests of a schema go, and the headers that say so."""

    level: PriorityLevel
    headers: Headers


class LevelSeat(Ticket):
    """The seats of one request at a level, which it has or waits for; see limiter.Seat."""

    def __init__(
        self, owner: "FlowControl", route: Route, schema: str, distinguisher: str, work: Work
    ) -> None:
        """Ask for nothing yet; see Ticket."""
        self.level, self.headers = route
        self._owner = owner
        super().__init__(schema, distinguisher, self.level.fitting(work))

    @property
    def waits(self) -> bool:
        """Whether the request's turn has yet to come."""
        return self.started is None

    async def turn(self, patience: float, departure: Departure) -> None:
        """Wait for it; see limiter.Seat."""
        await self._owner.wait(self, patience, departure)

    def turned_away(self) -> TurnedAwayError:
        """What the client is told that is not served."""
        return TurnedAwayError(self.level.retry_after.seconds, self.headers)

    def release(self) -> None:
        """Free the seats, unless that has been done."""
        self._owner.free(self.level, self)


class FlowControl:
    """A Limiter of all priority levels of this server, which has `total_seats`."""

    def __init__(self, total_seats: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the mandatory objects alone; `configure` brings the rest."""
        self._total = total_seats
        self._clock = clock
        self.levels: dict[str, PriorityLevel] = {}
        self._waiting = 0
        self.configure(configuration_of((), ()))

    def configure(self, configuration: Configuration) -> None:
        """Take a new configuration. A level that is gone serves what is in its queues."""
        now = self._clock()
        shares = sum(spec.shares for spec in configuration.levels)
        levels = {spec.name: self._level(spec, shares, now) for spec in configuration.levels}
        self.levels = levels
        self._routes = {
            schema.name: Route(levels[schema.level], _headers(schema.uid, levels[schema.level]))
            for schema in configuration.schemas
        }
        self._classifier = Classifier(configuration.schemas)
        for level in levels.values():
            level.forget_others(self._routes.keys())
        self.share_seats()

    def _level(self, spec: LevelSpec, shares: int, now: float) -> PriorityLevel:
        level = self.levels.get(spec.name) or PriorityLevel(spec, now)
        bounds = seat_bounds(self._total, spec.shares, shares, spec.lendable, spec.borrowing)
        level.reconfigure(spec, bounds)
        return level

    def share_seats(self) -> None:
        """Share the seats among the levels by what they have wanted since the last time."""
        now = self._clock()
        levels = list(self.levels.values())
        total = sum(level.bounds.nominal for level in levels)
        claims = [level.claim(now) for level in levels]
        for level, seats in zip(levels, share_out(total, claims), strict=True):
            level.resize(seats, now)

    async def run(self) -> None:
        """Share the seats every few seconds, and take back what was held too long; for ever."""
        while True:
            await asyncio.sleep(ADJUST_SECONDS)
            self.share_seats()
            self.take_back()

    def take_back(self) -> None:
        """Free the seats of requests that were to be over long ago.

        A handler is given no longer than LONGEST_HOLD; what takes longer is a client that does not
        read its answer.
        """
        overdue = self._clock() - LONGEST_HOLD
        for level in self.levels.values():
            for ticket in [held for held in level.holders if (held.started or 0.0) < overdue]:
                self.free(level, ticket)

    def grant(self, user: User, asked: Attributes, work: Work) -> LevelSeat:
        """The seats of `work`, or a place in a queue; see Limiter.grant."""
        schema = self._classifier.classify(user, asked)
        route = self._routes[schema.name]
        level = route.level
        seat = LevelSeat(self, route, schema.name, schema.distinguisher(user, asked), work)
        seat.is_watch = asked.verb == "watch"
        now = self._clock()
        if self._waiting >= MAX_WAITING and not level.spec.is_exempt:
            level.turn_away(seat, QUEUE_FULL, now)
            raise seat.turned_away()
        if not level.admit(seat, now):
            raise seat.turned_away()
        if seat.started is not None:
            level.hold(seat)
        return seat

    async def wait(self, seat: LevelSeat, patience: float, departure: Departure) -> None:
        """Wait for the seat's turn. Who gives up leaves the queue at once."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[str] = loop.create_future()

        def give_up(why: str) -> None:
            if not outcome.done():
                seat.level.leave(seat, why, self._clock())
                outcome.set_result(why)

        def gone() -> None:
            give_up(CANCELLED)

        seat.on_start = lambda: None if outcome.done() else outcome.set_result("")
        timer = loop.call_later(min(patience, LONGEST_WAIT), give_up, TIMED_OUT)
        departure.add(gone)
        self._waiting += 1
        try:
            why = await outcome
        except asyncio.CancelledError:
            self._abandon(seat)
            raise
        finally:
            self._waiting -= 1
            timer.cancel()
            departure.discard(gone)
        if why == CANCELLED:
            raise ClientGoneError
        if why:
            raise seat.turned_away()
        seat.level.hold(seat)

    def _abandon(self, seat: LevelSeat) -> None:
        """The request's task was cancelled while it waited, or just after its turn had come."""
        if seat.started is None:
            seat.level.leave(seat, CANCELLED, self._clock())
        else:
            seat.level.hold(seat)
            self.free(seat.level, seat)

    def free(self, level: PriorityLevel, ticket: Ticket) -> None:
        """Free the seats that a ticket holds, if any, at once or when they have lingered."""
        if ticket not in level.holders:
            return
        level.holders.discard(ticket)
        lingering = level.finish(ticket, self._clock())
        if lingering > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(lingering, lambda: level.release(ticket, self._clock()))


def _headers(schema_uid: str, level: PriorityLevel) -> Headers:
    return (
        (b"x-kubernetes-pf-flowschema-uid", schema_uid.encode()),
        (b"x-kubernetes-pf-prioritylevel-uid", level.spec.uid.encode()),
    )
