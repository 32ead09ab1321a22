"""How many seats a request takes. Pure.

Most take one. A list takes one for each 100 kB that it holds in memory at once, counted from the
number of stored objects and their mean size. A write takes one, and where ten or more watch its
resource one for each ten of them, for 5 ms longer: the time that their events take. Source: the
work estimator of v1.35.
"""

from typing import NamedTuple

from control_plane.apiserver.http.query import Query

MOST_SEATS = 10
BYTES_PER_SEAT = 100_000
CACHED_BYTES = 1_000_000
WATCHES_PER_SEAT = 10
EVENT_SECONDS = 0.005
WRITES = frozenset({"create", "update", "patch", "delete"})
WIDE = WRITES | {"list", "watch"}  # the verbs that may take more than one seat


class Work(NamedTuple):
    """`seats` while a request is served, then `final_seats` for `lingering` seconds more."""

    seats: int = 1
    final_seats: int = 0
    lingering: float = 0.0

    def at_most(self, seats: int) -> "Work":
        """The same amount of work on no more than this many seats."""
        if self.seats <= seats and self.final_seats <= seats:
            return self
        final = min(self.final_seats, seats)
        lingering = self.lingering * self.final_seats / final if final else 0.0
        return Work(min(self.seats, seats), final, lingering)


ONE_SEAT = Work()


class Stored(NamedTuple):
    """What there is of a resource: objects, their encoded size, and clients that watch it."""

    objects: int
    encoded_bytes: int
    watches: int


def work_of(verb: str, query: Query, stored: Stored) -> Work:
    """The work of a request for a resource."""
    if verb == "list" or (verb == "watch" and query.flag("sendInitialEvents")):
        return Work(min(MOST_SEATS, _list_seats(verb, query, stored)))
    if verb in WRITES and stored.watches >= WATCHES_PER_SEAT:
        return Work(1, min(MOST_SEATS, -(-stored.watches // WATCHES_PER_SEAT)), EVENT_SECONDS)
    return ONE_SEAT


def _list_seats(verb: str, query: Query, stored: Stored) -> int:
    if not stored.objects or "metadata.name=" in query.text("fieldSelector"):
        return 1
    loaded = stored.objects
    limit = query.text("limit")
    if verb == "list" and limit.isdecimal() and 0 < int(limit[:10]) < loaded:
        loaded = int(limit)
    from_store = verb == "list" and _is_from_store(query)
    if from_store and (query.text("labelSelector") or query.text("fieldSelector")):
        loaded = max(loaded, stored.objects // 2)
    size = loaded * stored.encoded_bytes // stored.objects
    if not from_store:
        size = min(size, CACHED_BYTES)
    return max(1, -(-size // BYTES_PER_SEAT))


def _is_from_store(query: Query) -> bool:
    """Whether a list reads the store rather than the cache."""
    if query.text("continue") or query.text("resourceVersionMatch") == "Exact":
        return True
    return bool(query.text("limit")) and query.text("resourceVersion") != "0"
