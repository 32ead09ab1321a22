"""ResourceQuota: what is written must fit the quotas of its namespace, and is charged to them.

The charge is part of the transaction that writes the object: both happen or neither, so a quota is
never exceeded and nothing is charged for what was not stored, however many servers write at once.
One charge at a time is under way in a namespace at each server; that others were faster shows in
the transaction, and the write begins anew. What is used less is the resourcequota controller's to
find. Source: v1.35 resourcequota admission, which charges first and stores afterwards.
"""

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from control_plane.api.errors import InternalError
from control_plane.api.quota.charging import QuotaRefusal, Write, charges
from control_plane.api.quota.countables import countable
from control_plane.api.quota.limited import Limited, check_limits
from control_plane.apiserver.admission.quota_ledger import Known, QuotaLedger
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.etcd.model import KeyChange
from control_plane.apiserver.storage.collections import Collections

PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Charge:
    """What is to be written together with an object; whoever does so sets the `revision`."""

    changes: tuple[KeyChange, ...] = ()
    revision: int = 0


class ResourceQuota:
    """Charges quotas; it is asked last, when the object is as it will be stored."""

    def __init__(self, collections: Collections, limits: Iterable[Limited] = ()) -> None:
        """Follow the quotas; `limits` say what needs one."""
        self._limits: dict[tuple[str, str], list[Limited]] = {}
        for limit in limits:
            self._limits.setdefault((limit.group, limit.resource), []).append(limit)
        self._ledger = QuotaLedger(collections)
        self._locks: dict[str, _Turn] = {}

    @contextlib.asynccontextmanager
    async def charged(self, review: Review) -> AsyncIterator[Charge]:
        """The charge for a write, which is to be made within the block.

        Raises Forbidden when the object does not fit.
        """
        write = self._write_of(review)
        if write is not None and self._limits:
            self._check_limits(review, write)
        if write is None or not any(
            write.countable.names(quota.hard) for quota in self._ledger.of(review.namespace)
        ):
            yield Charge()
            return
        async with self._turn(review.namespace):
            used = await self._used(review, write)
            if review.call.dry_run or not used:
                yield Charge()
                return
            plan = [self._ledger.change(review.namespace, *new) for new in used.items()]
            charge = Charge(tuple(change for change, _ in plan))
            try:
                yield charge
            finally:
                self._note(review.namespace, charge, [known for _, known in plan])

    def _write_of(self, review: Review) -> Write | None:
        """The write as quotas see it; None when it cannot concern any."""
        resource, namespace = review.resource, review.namespace
        if not resource.namespaced or not namespace:
            return None
        row = countable(resource.group, resource.plural)
        if row is None or not row.handles(
            review.operation.value, review.subresource, review.obj, review.old
        ):
            return None
        now = datetime.datetime.now(datetime.UTC)
        may_exceed = review.subresource == "status"
        return Write(row, review.obj, review.old, now, may_exceed)

    def _check_limits(self, review: Review, write: Write) -> None:
        limits = self._limits.get((review.resource.group, review.resource.plural))
        if not limits or write.may_exceed:
            return
        try:
            check_limits(limits, self._ledger.of(review.namespace), write)
        except QuotaRefusal as refusal:
            raise review.forbidden(str(refusal)) from refusal

    async def _used(self, review: Review, write: Write) -> dict[str, dict[str, str]]:
        """What the quotas are to show as used; a refusal is never an outdated one."""
        namespace = review.namespace
        is_newest = self._ledger.is_doubted(namespace)
        if is_newest:
            await self._ledger.refresh(namespace)
        try:
            return charges(self._ledger.of(namespace), write)
        except QuotaRefusal as refusal:
            if is_newest:
                raise review.forbidden(str(refusal)) from refusal
        await self._ledger.refresh(namespace)
        try:
            return charges(self._ledger.of(namespace), write)
        except QuotaRefusal as refusal:
            raise review.forbidden(str(refusal)) from refusal

    def _note(self, namespace: str, charge: Charge, quotas: list[Known]) -> None:
        if not charge.revision:
            self._ledger.doubt(namespace)
            return
        for quota in quotas:
            self._ledger.learn(namespace, replace(quota, revision=charge.revision))

    @contextlib.asynccontextmanager
    async def _turn(self, namespace: str) -> AsyncIterator[None]:
        """Wait for the namespace's other charges, PATIENCE_SECONDS at most."""
        turn = self._locks.setdefault(namespace, _Turn(asyncio.Lock()))
        turn.users += 1
        try:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await turn.lock.acquire()
            except TimeoutError as error:
                raise InternalError("resource quota evaluation timed out") from error
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            turn.users -= 1
            if not turn.users:
                del self._locks[namespace]


@dataclass(slots=True)
class _Turn:
    """A namespace's lock and how many hold it or wait for it."""

    lock: asyncio.Lock
    users: int = 0
