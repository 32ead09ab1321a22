"""ResourceQuota: what is written must fit the quotas of its namespace, and is charged to them.

The charge is part of the transaction that writes the object: both happen or neither, so a quota is
never exceeded and nothing is charged for what was not stored, however many servers write at once.
The charges of a namespace follow one another at each server (quota_lane.py); that others were
faster shows in the transaction, and the write begins anew. What is used less is the resourcequota
controller's to find. Source: v1.35 resourcequota admission, which charges first and stores
afterwards.
"""

import contextlib
import datetime
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from control_plane.api.errors import InternalError
from control_plane.api.quota.charging import QuotaRefusal, Write, charges
from control_plane.api.quota.countables import countable
from control_plane.api.quota.limited import Limited, check_limits
from control_plane.apiserver.admission.quota_lane import QuotaLane
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
        self._lanes: dict[str, QuotaLane] = {}

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
        async with self._lane(review.namespace) as lane:
            plan = await self._planned(review, write, lane)
            charge = Charge(tuple(change for change, _ in plan))
            if not plan:
                yield charge
                return
            try:
                yield charge
            finally:
                self._note(review.namespace, charge, [made for _, made in plan], lane)

    async def _planned(
        self, review: Review, write: Write, lane: QuotaLane
    ) -> list[tuple[KeyChange, Known]]:
        """The changes of quotas, which are under way from now on; none for a dry run."""
        try:
            async with lane.turn(PATIENCE_SECONDS):
                used = await self._used(review, write, lane)
                if review.call.dry_run or not used:
                    return []
                plan = [self._ledger.change(review.namespace, *new) for new in used.items()]
                lane.begin()
                return plan
        except TimeoutError as error:
            raise InternalError("resource quota evaluation timed out") from error

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

    async def _used(
        self, review: Review, write: Write, lane: QuotaLane
    ) -> dict[str, dict[str, str]]:
        """What the quotas are to show as used; a refusal is never an outdated one."""
        namespace = review.namespace
        is_newest = self._ledger.is_doubted(namespace)
        if is_newest:
            await lane.drained()
            await self._ledger.refresh(namespace)
        try:
            return charges(self._ledger.of(namespace), write)
        except QuotaRefusal as refusal:
            if is_newest:
                raise review.forbidden(str(refusal)) from refusal
        await lane.drained()
        await self._ledger.refresh(namespace)
        try:
            return charges(self._ledger.of(namespace), write)
        except QuotaRefusal as refusal:
            raise review.forbidden(str(refusal)) from refusal

    def _note(self, namespace: str, charge: Charge, made: list[Known], lane: QuotaLane) -> None:
        lane.end(succeeded=bool(charge.revision))
        if charge.revision:
            for known in made:
                self._ledger.arrived(namespace, known, charge.revision)
        else:
            self._ledger.doubt(namespace)
        if lane.is_idle:
            self._ledger.forget_under_way(namespace)

    @contextlib.asynccontextmanager
    async def _lane(self, namespace: str) -> AsyncIterator[QuotaLane]:
        """The namespace's charges, as long as somebody has one."""
        lane = self._lanes.setdefault(namespace, QuotaLane())
        lane.users += 1
        try:
            yield lane
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[namespace]
