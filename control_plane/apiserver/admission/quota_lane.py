"""The charges of one namespace's quotas at this server.

A write that comes while no other is under way is charged in the very transaction that writes the
object. Those that come meanwhile wait and are charged together: one write of the quotas for all of
them, then each is stored, on the condition that the reservation which was made with the charge is
still there. While it is there only charges change what a quota shows as used; it ends with another
write of the quotas that were charged. So a count that was begun before is void, and one that is
begun later finds everything.

    alone      quota + object
    together   quotas + reservation ──▶ object, object, object, ... ──▶ quotas - reservation

What is not stored after all is taken back with the next charge, or with the end of the reservation.
"""

import asyncio
import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from control_plane.apiserver.admission.quota_group import Additions, Charge, Group, Share, grouped
from control_plane.apiserver.admission.quota_ledger import QuotaLedger
from control_plane.apiserver.admission.quota_reservations import QuotaReservations, Reservation
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.etcd.model import Part
from control_plane.apiserver.waiting import say_waiting

MOST_SECONDS = 3.0  # that a reservation lasts before what is under way is waited for
SETTLE_ATTEMPTS = 10

logger = logging.getLogger(__name__)


class Step(enum.Enum):
    """What is to be done next."""

    WAIT = enum.auto()
    CHARGE = enum.auto()
    SETTLE = enum.auto()
    END = enum.auto()


@dataclass(slots=True, eq=False)
class _Debt:
    """What has been charged and was not stored."""

    additions: Additions
    repaid: asyncio.Event = field(default_factory=asyncio.Event)


class QuotaLane:
    """Has a task of its own while anything waits or is reserved; its owner ends it by `close`."""

    def __init__(
        self,
        namespace: str,
        ledger: QuotaLedger,
        reservations: QuotaReservations,
        on_rest: Callable[[], object],
    ) -> None:
        """Nothing is under way; `on_rest` is called whenever that is so again."""
        self._namespace = namespace
        self._on_rest = on_rest
        self._ledger = ledger
        self._reservations = reservations
        self._reservation = Reservation()
        self._waiting: list[Share] = []  # bounded by the requests in flight
        self._late: list[Share] = []  # did not fit what was known: judged when nothing is under way
        self._under_way = 0
        self._is_alone = False
        self._debts: list[_Debt] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def charge_alone(self, share: Share) -> Charge | None:
        """The charge of a write that need not wait for others; None for one that has to.

        What does not fit waits, too: others may know better than this server.
        """
        if self._task is not None or self._under_way or self._ledger.is_doubted(self._namespace):
            return None
        group = grouped(self._ledger.of(self._namespace), (share,), ())
        if group.refused:
            return None
        if not group.charged:
            return Charge()
        self._alone(group)
        return share.charge

    async def charge(self, share: Share) -> Charge:
        """Wait for the charge of a write; raises QuotaRefusal, or StoreError."""
        share.answer = asyncio.get_running_loop().create_future()
        self._waiting.append(share)
        self._go_on()
        try:
            return await share.answer
        except BaseException:
            self._end(share, is_certain=True)  # it may have been answered in this very moment
            raise

    async def end(self, share: Share, *, is_certain: bool) -> None:
        """Take note that a write has ended; its charge has a revision if the object is stored.

        When it `is_certain` that it is not, wait until it is charged no more.
        """
        debt = self._end(share, is_certain=is_certain)
        if debt is not None:
            await debt.repaid.wait()

    async def close(self) -> None:
        """End the task; whoever waits is cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    def _end(self, share: Share, *, is_certain: bool) -> _Debt | None:
        charge, share.charge = share.charge, None
        if charge is None or not charge.parts:
            self._rest()
            return None
        self._under_way -= 1
        debt = None
        if share.quotas:
            self._is_alone = False
            self._ledger.written(self._namespace, share.quotas, charge.revision)
        elif not charge.revision and is_certain and self._is_reserved(share):
            debt = _Debt(share.additions)
            self._debts.append(debt)
        self._go_on()
        return debt

    def _is_reserved(self, share: Share) -> bool:
        """Whether nobody can have counted since the write was charged."""
        return bool(share.reservation) and share.reservation == self._reservation.revision

    def _go_on(self) -> None:
        self._changed.set()
        if self._task is None and (self._waiting or self._reservation.revision):
            self._task = asyncio.create_task(self._serve(), name=f"quotas of {self._namespace}")
        self._rest()

    def _rest(self) -> None:
        if self._task is None and not self._under_way:
            self._on_rest()

    async def _serve(self) -> None:
        try:
            while (step := self._step()) is not Step.END:
                self._changed.clear()
                if step is Step.WAIT:
                    await self._changed.wait()
                elif step is Step.CHARGE:
                    await self._charge_waiting()
                else:
                    await self._settle()
        finally:
            self._task = None
            self._rest()
            self._forgive()
            for share in (*self._late, *self._waiting):
                if share.answer is not None:
                    share.answer.cancel()

    def _step(self) -> Step:
        """Groups grow: the next one begins when as many wait as are under way."""
        if self._is_alone:
            return Step.WAIT
        is_due = self._reservation.age(self._reservations.clock()) > MOST_SECONDS
        if self._under_way:
            is_enough = len(self._waiting) >= self._under_way
            return Step.CHARGE if is_enough and not self._late and not is_due else Step.WAIT
        if self._reservation.revision and (self._late or is_due or not self._waiting):
            return Step.SETTLE
        return Step.CHARGE if self._late or self._waiting else Step.END

    async def _charge_waiting(self) -> None:
        """Charge what waits; what did not fit before is refused if it does not fit now."""
        is_newest = bool(self._late)
        shares = [share for share in (*self._late, *self._waiting) if share.is_waiting]
        self._late, self._waiting = [], []
        try:
            if is_newest or self._ledger.is_doubted(self._namespace):
                await self._ledger.refresh(self._namespace)
            await self._charge_group(shares, is_newest=is_newest)
        except StoreError as error:
            self._ledger.doubt(self._namespace)
            for share in shares:
                share.refuse(error)

    async def _charge_group(self, shares: list[Share], *, is_newest: bool) -> None:
        guard = await self._guard() if self._reservation.revision or len(shares) > 1 else None
        debts = list(self._debts)
        # there is no await between this look at the quotas and what is sent to the store
        group = grouped(
            self._ledger.of(self._namespace),
            [share for share in shares if share.is_waiting],
            [debt.additions for debt in debts],
        )
        for share in group.free:
            share.take(Charge())
        for share, refusal in group.refused:
            if is_newest:
                share.refuse(refusal)
            else:
                self._late.append(share)
        self._late += group.late
        if guard is not None and (self._reservation.revision or len(group.charged) > 1):
            await self._reserve(group, guard, debts)
        elif group.charged:
            self._alone(group)

    async def _guard(self) -> Part:
        """What makes the reservation, or is so while it lasts."""
        if self._reservation.revision:
            return self._reservations.held(self._namespace, self._reservation.revision)
        return await self._reservations.made(self._namespace)

    def _alone(self, group: Group) -> None:
        """Have the one write of a group change the quotas itself."""
        (share,) = group.charged
        share.quotas = group.quotas
        self._is_alone = True
        self._under_way += 1
        share.take(Charge(tuple(self._ledger.change(self._namespace, one) for one in group.quotas)))

    async def _reserve(self, group: Group, guard: Part, debts: list[_Debt]) -> None:
        """Charge the writes of a group, and give them their answers."""
        if not group.quotas:
            return
        revision = await self._ledger.write(self._namespace, group.quotas, guard)
        if not revision:
            self._waiting[:0] = group.charged
            await self._look_again()
            return
        held = self._reservation
        if not held.revision:
            held.revision, held.since = revision, self._reservations.clock()
        held.quotas.update(quota.name for quota in group.quotas)
        self._forgive(debts)
        charge = self._reservations.held(self._namespace, held.revision)
        for share in group.charged:
            if share.is_waiting:
                self._under_way += 1
                share.reservation = held.revision
                share.take(Charge((charge,)))
            else:
                self._debts.append(_Debt(share.additions))

    async def _settle(self) -> None:
        """End the reservation, with a write of every quota that was charged under it."""
        try:
            for _ in range(SETTLE_ATTEMPTS):
                if not self._reservation.revision or await self._has_settled():
                    break
                await self._look_again()
        except StoreError as error:
            say_waiting(logger, f"quotas of {self._namespace} are counted later", error)
        finally:
            self._reservation = Reservation()
            self._forgive()

    async def _has_settled(self) -> bool:
        held, namespace = self._reservation, self._namespace
        charged = [quota for quota in self._ledger.of(namespace) if quota.name in held.quotas]
        repaid = grouped(charged, (), [debt.additions for debt in self._debts]).quotas
        newest = {quota.name: quota for quota in (*charged, *repaid)}
        if newest:
            ended = self._reservations.ended(namespace, held.revision)
            return bool(await self._ledger.write(namespace, newest.values(), ended))
        await self._reservations.end(namespace, held.revision)
        return True

    async def _look_again(self) -> None:
        """See how things are after a write that something was in the way of."""
        await self._ledger.refresh(self._namespace)
        revision = await self._reservations.revision(self._namespace)
        if revision != self._reservation.revision:
            names = {quota.name for quota in self._ledger.of(self._namespace)}
            self._reservation = Reservation(revision, self._reservations.clock(), names)
            self._forgive()  # others may have counted

    def _forgive(self, debts: list[_Debt] | None = None) -> None:
        """Take note that debts, or all of them, are no more."""
        for debt in list(self._debts) if debts is None else debts:
            self._debts.remove(debt)
            debt.repaid.set()
