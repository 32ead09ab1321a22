"""The queues of one priority level: fair queuing for requests that take seats. Pure.

Each queue is promised the same part of the level's seats. A virtual clock counts the seat-seconds
that each queue with work was due; a queue's `next_start` counts those that it was given. The next
request comes from the queue whose oldest would be finished first by that count, so a queue that
has had little is served before one that has had much, however many wait in it. When a request ends,
what it really took replaces the guess. Nothing here awaits or looks at a clock: the caller gives
the time in seconds and is told through the ticket when it is to be served. Queues exist while they
hold requests. Source: fair queuing for server requests, v1.35.
"""

from collections.abc import Callable, Iterable

from control_plane.apiserver.flow_control.shuffle_sharding import shortest
from control_plane.apiserver.flow_control.work_estimate import ONE_SEAT, Work

GUESSED_SECONDS = 0.003  # what a request is thought to take until it has ended


class Ticket:
    """One request in a QueueSet. `on_start` is called when a request that had to wait may go on."""

    queue: "Queue | None" = None
    arrival = arrival_turn = 0.0
    started: float | None = None
    is_watch = False
    on_start: Callable[[], None] | None = None

    def __init__(self, schema: str = "", distinguisher: str = "", work: Work = ONE_SEAT) -> None:
        """A request of the flow that `schema` and `distinguisher` name."""
        self.schema = schema
        self.distinguisher = distinguisher
        width, final, lingering = work
        self.width = width
        self.seats = width if width >= final else final
        self.lingering = lingering
        self.work = width * GUESSED_SECONDS + final * lingering


class Queue:
    """Requests that wait in one queue, oldest first, and what of it is being served."""

    __slots__ = ("executing", "index", "next_start", "seats_in_use", "waiting", "work_waiting")

    def __init__(self, index: int, next_start: float) -> None:
        """An empty queue that begins at this turn of the virtual clock."""
        self.index = index
        self.next_start = next_start
        self.waiting: dict[Ticket, None] = {}
        self.work_waiting = 0.0
        self.executing = 0
        self.seats_in_use = 0


class QueueSet:
    """Queues that share `limit` seats. Without queues, requests beyond the limit are rejected.

    `waiting`, `executing`, `seats_in_use` and `seats_waiting` are for others to read.
    """

    def __init__(self, now: float) -> None:
        """A set without seats or queues; see `configure`."""
        self.limit = 0
        self.queue_count = 0
        self.length_limit = 0
        self.waiting = self.executing = 0
        self.seats_in_use = self.seats_waiting = 0
        self.queues: dict[int, Queue] = {}
        self._with_waiting: dict[int, Queue] = {}
        self._turn = 0.0
        self._turned = now
        self._last_served = 0
        self._enqueued = 0

    def configure(self, queue_count: int, length_limit: int) -> None:
        """Change the number of queues and how many may wait in one; requests stay in theirs."""
        self.queue_count, self.length_limit = queue_count, length_limit

    def resize(self, limit: int, now: float) -> None:
        """Change the number of seats and serve whom there is room for now."""
        self._sync(now)
        self.limit = limit
        self._serve(now)

    def admit(self, ticket: Ticket, hand: tuple[int, ...], now: float) -> bool:
        """Take a request in; False when it is to be rejected.

        Afterwards `ticket.started` tells whether it may go on; else it waits for `on_start`.
        """
        if not self.queue_count:
            if not self._has_room(ticket):
                return False
            self.start(ticket, now)
            return True
        self._sync(now)
        queue = self._queue_for(hand)
        if self.seats_in_use >= self.limit and len(queue.waiting) >= self.length_limit:
            self._drop_if_idle(queue)
            return False
        if not self._with_waiting and self.seats_in_use < self.limit and self._has_room(ticket):
            self._begin(queue, ticket, now)
        else:
            self._enqueue(queue, ticket, now)
            self._serve(now)
        return True

    def leave(self, ticket: Ticket, now: float) -> bool:
        """Take a request that waits out of its queue; False when it waits no more."""
        queue = ticket.queue
        if queue is None or ticket not in queue.waiting:
            return False
        self._sync(now)
        self._unqueue(queue, ticket)
        self._bound(queue)
        self._drop_if_idle(queue)
        return True

    def finish(self, ticket: Ticket, now: float) -> float:
        """A request has been served; returns how long its seats linger: then `release` them."""
        self.executing -= 1
        queue = ticket.queue
        if queue is not None:
            self._sync(now)
            queue.executing -= 1
            took = now - (ticket.started or now)
            queue.next_start -= ticket.width * (GUESSED_SECONDS - took)
            self._bound(queue)
        if ticket.lingering <= 0:
            self._free(ticket, now)
        return ticket.lingering

    def release(self, ticket: Ticket, now: float) -> None:
        """Free the seats of a request that has lingered."""
        self._sync(now)
        self._free(ticket, now)

    def _free(self, ticket: Ticket, now: float) -> None:
        self.seats_in_use -= ticket.seats
        if ticket.queue is not None:
            ticket.queue.seats_in_use -= ticket.seats
            self._drop_if_idle(ticket.queue)
        if self._with_waiting:
            self._serve(now)

    def _sync(self, now: float) -> None:
        """Advance the virtual clock: what was due to each queue with work since the last time."""
        if self.queues:
            seats = min(self.seats_in_use + self.seats_waiting, self.limit)
            self._turn += (now - self._turned) * seats / len(self.queues)
        self._turned = now

    def _queue_for(self, hand: tuple[int, ...]) -> Queue:
        """The queue of the hand with the least work waiting; equal ones take turns."""
        first = self._enqueued % len(hand)
        self._enqueued += 1
        index = hand[first]
        if self._with_waiting:
            found = self._with_waiting
            work = [found[card].work_waiting if card in found else 0.0 for card in hand]
            index = shortest(hand, work, first)
        queue = self.queues.get(index)
        if queue is None:
            queue = self.queues[index] = Queue(index, self._turn)
        return queue

    def _begin(self, queue: Queue, ticket: Ticket, now: float) -> None:
        """Serve a request that need not wait, as if it had been in its queue."""
        if not queue.executing:
            queue.next_start = self._turn
        ticket.queue, ticket.arrival = queue, now
        queue.next_start = max(queue.next_start, self._turn)
        self._take(queue, ticket, now)

    def _enqueue(self, queue: Queue, ticket: Ticket, now: float) -> None:
        if not queue.waiting and not queue.executing:
            queue.next_start = self._turn
        ticket.queue, ticket.arrival, ticket.arrival_turn = queue, now, self._turn
        queue.waiting[ticket] = None
        queue.work_waiting += ticket.work
        self._with_waiting[queue.index] = queue
        self.waiting += 1
        self.seats_waiting += ticket.seats
        self._bound(queue)

    def _unqueue(self, queue: Queue, ticket: Ticket) -> None:
        del queue.waiting[ticket]
        self.waiting -= 1
        self.seats_waiting -= ticket.seats
        if queue.waiting:
            queue.work_waiting -= ticket.work
        else:
            queue.work_waiting = 0.0
            del self._with_waiting[queue.index]

    def _serve(self, now: float) -> None:
        """Serve as many as there are seats for, the one that is due first at first."""
        while self._with_waiting and self.seats_in_use < self.limit:
            queue, ticket = self._due()
            if not self._has_room(ticket):
                return
            self._unqueue(queue, ticket)
            self._take(queue, ticket, now)
            self._bound(queue)

    def _take(self, queue: Queue, ticket: Ticket, now: float) -> None:
        self._last_served = queue.index
        queue.executing += 1
        queue.seats_in_use += ticket.seats
        queue.next_start += ticket.work
        self.start(ticket, now)

    def _due(self) -> tuple[Queue, Ticket]:
        """The queue whose oldest request would be finished first, and that request.

        Of equal ones the next after the queue that was served last: all have their turn.
        """
        best: tuple[float, int] | None = None
        for queue in self._with_waiting.values():
            oldest = next(iter(queue.waiting))
            after_last = (queue.index - self._last_served - 1) % max(self.queue_count, 1)
            rank = (queue.next_start + oldest.work, after_last)
            if best is None or rank < best:
                best, chosen, ticket = rank, queue, oldest
        return chosen, ticket

    def _has_room(self, ticket: Ticket) -> bool:
        """A request wider than the level is served alone."""
        if ticket.seats > self.limit:
            return not self.executing
        return self.seats_in_use + ticket.seats <= self.limit

    def start(self, ticket: Ticket, now: float) -> None:
        """Serve a request; one that no limit applies to need not be admitted before."""
        ticket.started = now
        self.executing += 1
        self.seats_in_use += ticket.seats
        if ticket.on_start is not None:
            ticket.on_start()

    def _bound(self, queue: Queue) -> None:
        """No request is due before it came: a queue saves nothing up while others are served."""
        for oldest in queue.waiting:
            queue.next_start = max(queue.next_start, oldest.arrival_turn)
            return

    def _drop_if_idle(self, queue: Queue) -> None:
        if not queue.waiting and not queue.executing and self.queues.get(queue.index) is queue:
            del self.queues[queue.index]

    def tickets(self) -> Iterable[tuple[Queue, Ticket]]:
        """All that wait, with their queues, queue by queue, oldest first."""
        for _, queue in sorted(self.queues.items()):
            for ticket in queue.waiting:
                yield queue, ticket
