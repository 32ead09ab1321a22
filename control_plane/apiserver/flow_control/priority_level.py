"""One priority level: its configuration, its seats, its queues, and what it has done so far.

Called by FlowControl, on the event loop only. Nothing here awaits.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from control_plane.api.objects import Object, dig, name_of, uid_of
from control_plane.apiserver.flow_control.counts import (
    CANCELLED,
    CONCURRENCY_LIMIT,
    QUEUE_FULL,
    FlowCounts,
)
from control_plane.apiserver.flow_control.queue_set import QueueSet, Ticket
from control_plane.apiserver.flow_control.retry_after import RetryAfter
from control_plane.apiserver.flow_control.seat_allocation import (
    Claim,
    SeatBounds,
    claim_of,
    widest,
)
from control_plane.apiserver.flow_control.seat_demand import SeatDemand
from control_plane.apiserver.flow_control.shuffle_sharding import deal, flow_hash
from control_plane.apiserver.flow_control.work_estimate import MOST_SEATS, ONE_SEAT, Work

HANDS = 4_096


@dataclass(frozen=True, slots=True)
class LevelSpec:
    """What a PriorityLevelConfiguration says. `queues` is 0 where excess requests are rejected."""

    name: str
    uid: str
    is_exempt: bool
    shares: int
    lendable: int
    borrowing: int | None
    queues: int = 0
    hand_size: int = 1
    length_limit: int = 0


def level_spec(obj: Object) -> LevelSpec:
    """Read an object that has been validated and defaulted."""
    spec = obj["spec"]
    is_exempt = spec["type"] == "Exempt"
    shared = (spec.get("exempt") or {}) if is_exempt else spec["limited"]
    queuing = dig(shared, "limitResponse", "queuing", default={})
    return LevelSpec(
        name_of(obj),
        uid_of(obj),
        is_exempt,
        shared.get("nominalConcurrencyShares") or 0,
        shared.get("lendablePercent") or 0,
        shared.get("borrowingLimitPercent"),
        queuing.get("queues", 0),
        queuing.get("handSize", 1),
        queuing.get("queueLengthLimit", 0),
    )


class PriorityLevel:
    """A level at work. `counts`, by schema, are for metrics and dumps."""

    def __init__(self, spec: LevelSpec, now: float) -> None:
        """A level without seats; `reconfigure` and `resize` give it some."""
        self.spec = spec
        self.bounds = SeatBounds(0, 0, 0)
        self.queues = QueueSet(now)
        self.demand = SeatDemand(now)
        self.retry_after = RetryAfter()
        self.most_seats = MOST_SEATS
        self.holders: set[Ticket] = set()
        self.counts: defaultdict[str, FlowCounts] = defaultdict(FlowCounts)
        self._hands: dict[tuple[str, str], tuple[int, ...]] = {}

    def reconfigure(self, spec: LevelSpec, bounds: SeatBounds) -> None:
        """Take a changed configuration."""
        if (spec.queues, spec.hand_size) != (self.spec.queues, self.spec.hand_size):
            self._hands.clear()
        self.spec, self.bounds = spec, bounds
        self.queues.configure(spec.queues, spec.length_limit)
        self.most_seats = MOST_SEATS
        if spec.queues:
            self.most_seats = min(MOST_SEATS, widest(bounds, spec.hand_size))

    def fitting(self, work: Work) -> Work:
        """As much of the work as one request may take of this level at once."""
        if work is ONE_SEAT:
            return work
        return Work(work.seats) if self.spec.is_exempt else work.at_most(self.most_seats)

    def claim(self, now: float) -> Claim:
        """What the level claims for the next period; ends the present one."""
        self.demand.close(now)
        return claim_of(self.bounds, self.demand.peak, self.demand.smoothed)

    def resize(self, seats: int, now: float) -> None:
        """Change the number of seats."""
        self.queues.resize(seats, now)
        self.note_demand(now)

    def admit(self, ticket: Ticket, now: float) -> bool:
        """Take a request in; False when it is rejected. See QueueSet.admit."""
        if self.spec.is_exempt:
            self.queues.start(ticket, now)
            is_in = True
        else:
            hand = self._hand(ticket) if self.spec.queues else ()
            is_in = self.queues.admit(ticket, hand, now)
        if is_in:
            self.note_demand(now)
        else:
            self.turn_away(ticket, QUEUE_FULL if self.spec.queues else CONCURRENCY_LIMIT, now)
        return is_in

    def leave(self, ticket: Ticket, why: str, now: float) -> None:
        """A request waits no longer, because of `why`."""
        if self.queues.leave(ticket, now):
            self.note_demand(now)
            self.turn_away(ticket, why, now)
            self.counts[ticket.schema].lost_waits.observe(now - ticket.arrival)

    def finish(self, ticket: Ticket, now: float) -> float:
        """A request has been served; returns after how long its seats have to be released."""
        lingering = self.queues.finish(ticket, now)
        self.note_demand(now)
        counts = self.counts[ticket.schema]
        executions = counts.watch_executions if ticket.is_watch else counts.executions
        executions.observe(now - (ticket.started or now))
        return lingering

    def release(self, ticket: Ticket, now: float) -> None:
        """Free the seats of a request that has lingered."""
        self.queues.release(ticket, now)
        self.note_demand(now)

    def turn_away(self, ticket: Ticket, why: str, now: float) -> None:
        """Count a request that was not served."""
        self.counts[ticket.schema].rejected[why] += 1
        if why != CANCELLED:
            self.retry_after.drop(now)

    def hold(self, ticket: Ticket) -> None:
        """Count a request that is being served."""
        self.holders.add(ticket)
        counts = self.counts[ticket.schema]
        counts.dispatched += 1
        if not self.spec.is_exempt:
            counts.waits.observe((ticket.started or ticket.arrival) - ticket.arrival)

    def forget_others(self, schemas: Collection[str]) -> None:
        """Forget the counts of schemas that are gone: names of schemas are for clients to make."""
        for name in self.counts.keys() - set(schemas):
            del self.counts[name]

    def note_demand(self, now: float) -> None:
        """Tell the demand of now."""
        self.demand.observe(self.queues.seats_in_use + self.queues.seats_waiting, now)

    def _hand(self, ticket: Ticket) -> tuple[int, ...]:
        flow = (ticket.schema, ticket.distinguisher)
        hand = self._hands.get(flow)
        if hand is None:
            hand = deal(flow_hash(*flow), self.spec.queues, self.spec.hand_size)
            if len(self._hands) >= HANDS:
                self._hands.clear()
            self._hands[flow] = hand
        return hand
