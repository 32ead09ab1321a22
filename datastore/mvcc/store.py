"""The store: what the RPC services call, over one backend.

Owns the lanes to the database, the writer, the hub, the lessor and the compactor, and their tasks.
Reads go to reader threads: point reads that wait share a query (`PointReads`), pages and other
ranges have threads of their own. Nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from datastore.errors.members import BadLeaderTransferee, NotLeader
from datastore.mvcc import snapshot_reads
from datastore.mvcc.auth.guard import Guard
from datastore.mvcc.auth.model import NOBODY, Credentials
from datastore.mvcc.auth.passwords import DEFAULT_COST, Passwords
from datastore.mvcc.auth.service import Auth
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.auto_compaction import AutoCompactor, policy
from datastore.mvcc.background import every, keep
from datastore.mvcc.batch import Server
from datastore.mvcc.compaction import Compactor
from datastore.mvcc.housekeeping import Housekeeping
from datastore.mvcc.hub import WatchHub
from datastore.mvcc.key_space import KeySpace, Reads
from datastore.mvcc.lane import Lane
from datastore.mvcc.leadership import Leadership
from datastore.mvcc.lessor import Lessor, MemoryLessor, SharedLessor
from datastore.mvcc.membership import FORGET_SECONDS, HEARTBEAT_SECONDS, alive
from datastore.mvcc.point_reads import PointReads
from datastore.mvcc.quota import Quota
from datastore.mvcc.requests import (
    Compact,
    ForgetMembers,
    GrantLease,
    RenewLease,
    RevokeLease,
)
from datastore.mvcc.statement_times import total
from datastore.mvcc.upkeep import Upkeep
from datastore.mvcc.watch import WatchStream
from datastore.mvcc.writer import Watching, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datastore.mvcc.backend import Backend, Session, Sighting
    from datastore.mvcc.background import Job
    from datastore.mvcc.lane import Use
    from datastore.mvcc.model import (
        Alarm,
        DeleteRange,
        DeleteResult,
        Lease,
        LeaseQuery,
        Member,
        Put,
        PutResult,
        RangeQuery,
        RangeResult,
        State,
        Txn,
        TxnResult,
    )
    from datastore.mvcc.statement_times import Spent

T = TypeVar("T")
log = logging.getLogger(__name__)
RANGE_THREADS = 3
POINT_READS = 64  # that share one snapshot


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request, and the store, may hold: bytes (0 or less is no quota) and seconds."""

    txn_operations: int = 128
    quota: int = 2 << 30
    progress_interval: float = 600.0
    compaction_mode: str = "periodic"  # and what it keeps: seconds or revisions, 0 is all
    compaction_retention: float = 0.0
    least_ttl: int = 2


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """How users prove who they are: --auth-token, seconds of a simple token, cost of a hash."""

    token: str = "simple"
    token_ttl: float = 300.0
    bcrypt_cost: int = DEFAULT_COST


class Store:
    """An opened backend with everything that makes it etcd's key space."""

    def __init__(
        self, backend: Backend, limits: Limits, auth_options: AuthOptions | None = None
    ) -> None:
        options = auth_options or AuthOptions()
        self.backend = backend
        self.limits = limits
        self.guard = Guard(new_tokens(options.token, options.token_ttl))
        self._passwords = Passwords(options.bcrypt_cost)
        self._quota = Quota(limits.quota)
        self._ending = asyncio.Event()  # the listener may return
        self._lanes: list[Lane] = []
        self._here: Session | None = None  # for reads in a front's own thread
        self._writing: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect the lanes, read the state and start the background tasks."""
        backend = self.backend
        self._points = self._lane("points", backend.session, together=POINT_READS)
        self._ranges = self._lane("ranges", backend.session, threads=RANGE_THREADS)
        # In a file one thread reads more pages than several that wait for the interpreter's lock.
        pages = self._lane("pages", backend.session) if backend.exclusive else self._ranges
        # Where sweeping up takes its time the store's size is looked at beside it.
        chores = self._lane("chores", backend.session, threads=1 if backend.exclusive else 2)
        state = await self._ranges.call(snapshot_reads.state)
        self.house = Housekeeping(backend, chores, self._quota, lambda: self.hub.newest())
        await self.house.measure()
        self.upkeep = Upkeep(self._lane("upkeep", backend.session))
        self.hub = WatchHub(
            self._lane("watches", backend.session),  # no client's long ranges before them
            state.revision,
            state.compact_revision,
            shared=not backend.exclusive,
        )
        server = Server(
            backend.member_id,
            backend.longest_key,
            self.guard,
            backend.newest,
            self._quota,
            self.limits.least_ttl,
            self.hub.counts,
        )
        watching = Watching(
            self.hub.offer,
            self.hub.catch_up_unless_paused,
            lambda leases: self.lessor.note(leases),
            lambda: self.hub.wants_values,
            lambda: self.hub.revision,
        )
        self.writer = Writer(lambda: backend.session(writer=True), server, watching)
        self.writer.start_from(state.revision)
        if backend.newest is not None and not state.auth:
            backend.newest.apply([], state.revision)
        self.leadership = Leadership(backend.member_id if backend.exclusive else 0)
        self.compactor = Compactor(self.writer, self._leads)
        self.lessor: Lessor = SharedLessor(
            self.writer, self._points, self.leadership, backend.member_id
        )
        if backend.exclusive:
            self.lessor = MemoryLessor(self.writer)
        self.lessor.start((await self._ranges.call(snapshot_reads.all_leases)).values())
        self._writing = asyncio.create_task(self.writer.run())
        self.auth = Auth(
            self.guard,
            self._passwords,
            writer=self.writer,
            lane=self._points,
            may_be_on=bool(state.auth) or not backend.exclusive,
        )
        if backend.exclusive:
            self._here = backend.session()
        else:
            await self.lessor.begin()
        points = PointReads(self._points, self.guard, backend.newest, self._here)
        reads = Reads(points, pages, self._ranges)
        self.keys = KeySpace(self, reads, self.writer)
        for name, job in self._jobs(state.revision):
            self._tasks.append(asyncio.create_task(keep(name, job)))
        if not backend.exclusive:
            self._listening = asyncio.create_task(
                keep("listening", self._listen, sleep=self._pause)
            )

    async def stop(self) -> None:
        """Finish queued writes, then end every task and close the lanes.

        Listening ends last: it is what cuts the connections of a database that does not answer.
        """
        if self._writing:
            if self._tasks:  # it had started
                await self.lessor.leave()
            self.writer.close()
            await self._writing
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._passwords.close()
        for lane in self._lanes:
            await lane.close()
        if self._here:
            self._here.close()
        self._ending.set()
        if self._listening:
            await self._listening  # its thread sees `_ending` within a second
        await asyncio.to_thread(self.backend.close)

    async def range(self, query: RangeQuery) -> RangeResult:
        """Answer a Range from one snapshot."""
        return await self._answered(lambda answer: self.keys.range(query, answer))

    async def put(self, put: Put, size: int) -> PutResult:
        """Write a key."""
        return await self._answered(lambda answer: self.keys.put(put, size, answer))

    async def delete_range(self, delete: DeleteRange, size: int) -> DeleteResult:
        """Delete the keys of a range."""
        return await self._answered(lambda answer: self.keys.delete_range(delete, size, answer))

    async def txn(self, txn: Txn, size: int) -> TxnResult:
        """Run a Txn: on a snapshot if it only reads."""
        return await self._answered(lambda answer: self.keys.txn(txn, size, answer))

    async def _answered(self, start: Callable[[asyncio.Future[T]], None]) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        start(answer)
        return await answer

    async def compact(self, revision: int, *, physical: bool) -> int:
        """Raise the compact revision; with `physical`, wait until the rows are gone."""
        done = await self.writer.submit(Compact(revision))
        self.compactor.start()
        if physical:
            await self.compactor.reached(revision)
        return int(done.revision)

    async def grant(self, lease: int, ttl: int, caller: Credentials = NOBODY) -> tuple[int, Lease]:
        """Grant a lease."""
        granted = await self.writer.submit(GrantLease(lease, ttl, caller))
        return granted.revision, granted.lease

    async def revoke(self, lease: int, caller: Credentials = NOBODY) -> int:
        """Revoke a lease and delete its keys."""
        return int((await self.writer.submit(RevokeLease(lease, caller))).revision)

    def renew(self, request: RenewLease, *, checked: bool) -> int | asyncio.Future[int]:
        """Keep a lease alive: its TTL, 0 if it is gone; at once where that takes no waiting.

        `checked` while auth may be on.
        """
        checked = checked and self.backend.exclusive
        ttl = None if checked else self.lessor.renew_at_once(request)
        if ttl is not None:
            return ttl
        return asyncio.ensure_future(self._renew(request, checked=checked))

    async def _renew(self, request: RenewLease, *, checked: bool) -> int:
        if checked:
            await self.writer.submit(request._replace(stored=False))
        return await self.lessor.renew(request)

    async def lease(self, query: LeaseQuery) -> tuple[State, Lease | None, list[bytes]]:
        """Return a lease and, if asked, its keys."""
        return await self._points.call(
            lambda session: snapshot_reads.lease(session, self.guard, query)
        )

    async def leases(self, caller: Credentials = NOBODY) -> tuple[State, list[Lease]]:
        """Return every lease, the next to expire first."""
        state, leases = await self._ranges.call(
            lambda session: snapshot_reads.leases(session, self.guard, caller)
        )
        return state, sorted(leases, key=lambda lease: self.lessor.left(lease, state.now))

    async def state(self) -> State:
        """Return the store's state."""
        return await self._points.call(snapshot_reads.state)

    async def defragment(self) -> None:
        """Give free space back to the file system."""
        await self.upkeep.defragment()
        await self.house.measure()

    async def alarms(self) -> tuple[State, list[Alarm]]:
        """Return the active alarms."""
        return await self._points.call(snapshot_reads.alarms)

    async def standing(self) -> snapshot_reads.Standing:
        """Return the state, the alarms, and the member that leads, 0 for none."""
        found = await self._points.call(snapshot_reads.standing)
        self.leadership.saw(found.holder)
        return found._replace(holder=self.leadership.leader)

    async def move_leader(self, member: int) -> None:
        """Let another server lead; NotLeader here if this one does not, BadLeaderTransferee."""
        here = self.backend.member_id
        if (await self.standing()).holder != here:
            raise NotLeader
        if member not in {known.id for known in await self.members()}:
            raise BadLeaderTransferee
        if isinstance(self.lessor, SharedLessor) and member != here:
            await self.lessor.hand_over(member)

    async def members(self) -> list[Member]:
        """Return the servers that are alive, this one always among them."""
        state, members = await self._points.call(snapshot_reads.members)
        others = [] if self.backend.exclusive else alive(members, state.now)
        return [
            member for member in members if member.id == self.backend.member_id or member in others
        ]

    async def read(self, function: Callable[[Session], Any]) -> Any:
        """Run any long read in a reader thread."""
        return await self._ranges.call(function)

    def _jobs(self, revision: int) -> Iterator[tuple[str, Job]]:
        """Yield what goes on in the background, each with its name; revision is the store's."""
        yield "watches", self.hub.run
        yield "compaction", self.compactor.run
        yield "lease expiry", self.lessor.run
        yield "tokens", self.auth.run
        yield from self.house.jobs(self.writer)
        limits = self.limits
        chosen = policy(
            limits.compaction_mode, limits.compaction_retention, time.monotonic(), revision
        )
        if chosen is not None:
            compact = partial(self.compact, physical=False)
            compactor = AutoCompactor(chosen, self.hub.newest, compact)
            yield "auto-compaction", compactor.run
        if not self.backend.exclusive:
            yield "heartbeat", every(HEARTBEAT_SECONDS, self._say_alive)
            yield "old members", every(FORGET_SECONDS, self._forget_members)

    def _saw(self, sighting: Sighting) -> None:
        self.lessor.saw(sighting)
        self.compactor.saw(sighting)

    async def _say_alive(self) -> None:
        await self._points.call(lambda session: session.say_alive())

    def uses(self) -> list[Use]:
        """Return what every session is doing, by lane."""
        return [self.writer.use(), *(lane.use() for lane in self._lanes)]

    def statements(self) -> dict[str, Spent]:
        """Return how often each statement ran here and how long that took, by name."""
        times = [times for use in self.uses() for times in use.times]
        return total([*times, self._here.times] if self._here else times)

    async def _forget_members(self) -> None:
        gone = await self.writer.submit(ForgetMembers())
        if gone:
            log.info(
                "servers that are gone for good ids=%s", " ".join(f"{member:x}" for member in gone)
            )

    def _leads(self) -> bool:
        return self.leadership.leader == self.backend.member_id

    def watch_stream(self) -> WatchStream:
        """Open a stream of watches."""
        return WatchStream(self.hub, self.limits.progress_interval)

    def _lane(self, name: str, connect: Callable[[], Session], **kind: Any) -> Lane:
        lane = Lane(name, connect, **kind)
        self._lanes.append(lane)
        return lane

    async def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the store ends."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _listen(self) -> None:
        """Signal the hub at every sign of a commit elsewhere."""
        if self._ending.is_set():
            return
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.call_soon_threadsafe(self.hub.signal)

        def saw(sighting: Sighting) -> None:
            loop.call_soon_threadsafe(self._saw, sighting)

        await asyncio.to_thread(self.backend.listen, heard, self._ending.is_set, saw)
