"""/debug/api_priority_and_fairness/: what the priority levels, queues and requests are doing.

Source: the debugging dumps of API priority and fairness, v1.35: the same columns and layout.
"""

from collections.abc import Callable, Iterable, Mapping

from control_plane.apiserver.flow_control.counts import CANCELLED, TIMED_OUT
from control_plane.apiserver.flow_control.flow_control import FlowControl
from control_plane.apiserver.flow_control.priority_level import PriorityLevel
from control_plane.apiserver.flow_control.queue_set import Queue
from control_plane.apiserver.http.answer import Reply, text_answer
from control_plane.apiserver.http.request import Request

ROOT = "/debug/api_priority_and_fairness/"
LEAST_WIDTH = 8

Row = tuple[object, ...]
Levels = Iterable[PriorityLevel]


def level_rows(levels: Levels) -> Iterable[Row]:
    """One row for each priority level."""
    yield (
        "PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests",
        "ExecutingRequests", "DispatchedRequests", "RejectedRequests", "TimedoutRequests",
        "CancelledRequests",
    )  # fmt: skip
    for level in levels:
        queues = level.queues
        yield (
            level.spec.name,
            sum(1 for queue in queues.queues.values() if queue.waiting),
            _flag(is_true=not queues.waiting and not queues.executing),
            _flag(is_true=False),
            queues.waiting,
            queues.executing,
            sum(counts.dispatched for counts in level.counts.values()),
            sum(sum(counts.rejected.values()) for counts in level.counts.values()),
            sum(counts.rejected[TIMED_OUT] for counts in level.counts.values()),
            sum(counts.rejected[CANCELLED] for counts in level.counts.values()),
        )


def queue_rows(levels: Levels) -> Iterable[Row]:
    """One row for each queue in use; upstream has one for empty queues too."""
    yield (
        "PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse",
        "NextDispatchR", "InitialSeatsSum", "MaxSeatsSum", "TotalWorkSum",
    )  # fmt: skip
    for level in levels:
        for _, queue in sorted(level.queues.queues.items()):
            yield (
                level.spec.name,
                queue.index,
                len(queue.waiting),
                queue.executing,
                queue.seats_in_use,
                _seat_seconds(queue.next_start),
                sum(ticket.width for ticket in queue.waiting),
                sum(ticket.seats for ticket in queue.waiting),
                _seat_seconds(queue.work_waiting),
            )


def request_rows(levels: Levels) -> Iterable[Row]:
    """One row for each request that waits; times are seconds of the server's own clock."""
    yield (
        "PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue",
        "FlowDistingsher", "ArriveTime", "InitialSeats", "FinalSeats", "AdditionalLatency",
    )  # fmt: skip
    for level in levels:
        place, last = 0, None
        for queue, ticket in level.queues.tickets():
            place, last = _next_place(place, last, queue)
            yield (
                level.spec.name,
                ticket.schema,
                queue.index,
                place,
                ticket.distinguisher,
                f"{ticket.arrival:.6f}",
                ticket.width,
                ticket.seats if ticket.lingering else 0,
                f"{ticket.lingering * 1000:g}ms" if ticket.lingering else "0s",
            )


def _next_place(place: int, last: Queue | None, queue: Queue) -> tuple[int, Queue]:
    return (place + 1 if queue is last else 0), queue


def _flag(*, is_true: bool) -> str:
    return "true" if is_true else "false"


def _seat_seconds(amount: float) -> str:
    return f"{amount:.8f}ss"


def laid_out(rows: Iterable[Row]) -> str:
    """Rows as lines of columns, each cell but the last followed by a comma. Pure."""
    cells = [[f"{cell}," for cell in row[:-1]] + [str(row[-1])] for row in rows]
    widths = [
        max(LEAST_WIDTH, *(len(cell) + 1 for cell in column)) for column in zip(*cells, strict=True)
    ]
    lines = (
        "".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)) + row[-1]
        for row in cells
    )
    return "".join(f"{line}\n" for line in lines)


TABLES: Mapping[str, Callable[[Levels], Iterable[Row]]] = {
    "dump_priority_levels": level_rows,
    "dump_queues": queue_rows,
    "dump_requests": request_rows,
}


class Dumps:
    """Serves the dumps."""

    def __init__(self, flow: FlowControl) -> None:
        """Show this server's priority levels."""
        self._flow = flow

    async def dump(self, request: Request) -> Reply:
        """GET of one of TABLES."""
        rows = TABLES.get(request.path.removeprefix(ROOT))
        if rows is None:
            return text_answer("404 page not found\n", 404)
        return text_answer(laid_out(rows(self._flow.levels.values())))
