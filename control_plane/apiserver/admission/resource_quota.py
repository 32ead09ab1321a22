"""ResourceQuota: what is written must fit the quotas of its namespace, and is charged to them.

An object is stored only while its charge is in the store, so a quota is never exceeded, and what is
not stored is charged no more, however many servers write at once (quota_lane.py). That others were
faster shows in a transaction, and the write begins anew. What is used less is the resourcequota
controller's to find. Source: v1.35 resourcequota admission, which charges first and stores
afterwards.
"""

import asyncio
import contextlib
import datetime
import functools
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from control_plane.api.errors import Conflict, InternalError
from control_plane.api.quota.charging import QuotaRefusal, Write
from control_plane.api.quota.countables import countable
from control_plane.api.quota.limited import Limited, check_limits
from control_plane.api.resources import RESOURCEQUOTAS
from control_plane.apiserver.admission.quota_group import Charge, Share
from control_plane.apiserver.admission.quota_lane import QuotaLane
from control_plane.apiserver.admission.quota_ledger import QuotaLedger
from control_plane.apiserver.admission.quota_reservations import QuotaReservations
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.etcd.errors import StoreTimeoutError, StoreUnavailableError
from control_plane.apiserver.storage.collections import Collections

PATIENCE_SECONDS = 30.0
UNCERTAIN = (StoreTimeoutError, StoreUnavailableError, asyncio.CancelledError)
"""What leaves open whether a write has happened."""

_TOO_LATE = "resource quota evaluation timed out"
PAUSES = 50  # until what is charged ahead is stored
PAUSE_SECONDS = 0.02


class ResourceQuota:
    """Charges quotas; it is asked last, when the object is as it will be stored."""

    def __init__(self, collections: Collections, limits: Iterable[Limited] = ()) -> None:
        """Follow the quotas; `limits` say what needs one."""
        self._limits: dict[tuple[str, str], list[Limited]] = {}
        for limit in limits:
            self._limits.setdefault((limit.group, limit.resource), []).append(limit)
        self._ledger = QuotaLedger(collections)
        self._reservations = QuotaReservations(collections.etcd, collections.root, time.monotonic)
        self._lanes: dict[str, QuotaLane] = {}

    def charged(self, review: Review) -> AbstractAsyncContextManager[Charge]:
        """The charge for a write, which is to be made within the block.

        Raises Forbidden when the object does not fit, or the block does so when it begins.
        """
        write = self._write_of(review)
        if write is not None and self._limits:
            self._check_limits(review, write)
        if write is None or not any(
            write.countable.names(quota.hard) for quota in self._ledger.of(review.namespace)
        ):
            if review.is_for(RESOURCEQUOTAS, Operation.UPDATE, "status"):
                return self._counted(review)
            return contextlib.nullcontext(Charge())
        return _Charging(self._lane(review.namespace), review, write)

    async def close(self) -> None:
        """End what is under way."""
        for lane in [*self._lanes.values()]:
            await lane.close()

    def _lane(self, namespace: str) -> QuotaLane:
        found = self._lanes.get(namespace)
        if found is None:
            forget = functools.partial(self._lanes.pop, namespace, None)
            found = QuotaLane(namespace, self._ledger, self._reservations, forget)
            self._lanes[namespace] = found
        return found

    @contextlib.asynccontextmanager
    async def _counted(self, review: Review) -> AsyncIterator[Charge]:
        """The condition for writing what a quota shows as used: nothing is charged ahead."""
        attempts = 0
        while await self._reservations.are_any(review.namespace):
            attempts += 1
            if attempts > PAUSES:
                raise Conflict.modified(RESOURCEQUOTAS, review.name)
            await asyncio.sleep(PAUSE_SECONDS)
        yield Charge((self._reservations.none(review.namespace),))

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


class _Charging:
    """The block in which a write is charged and made."""

    __slots__ = ("_lane", "_review", "_share")

    def __init__(self, lane: QuotaLane, review: Review, write: Write) -> None:
        self._lane = lane
        self._review = review
        self._share = Share(write, review.call.dry_run)

    async def __aenter__(self) -> Charge:
        return self._lane.charge_alone(self._share) or await self._waited()

    async def _waited(self) -> Charge:
        loop, late = asyncio.get_running_loop(), InternalError(_TOO_LATE)
        timer = loop.call_later(PATIENCE_SECONDS, self._share.refuse, late)
        try:
            return await self._lane.charge(self._share)
        except QuotaRefusal as refusal:
            raise self._review.forbidden(str(refusal)) from refusal
        finally:
            timer.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._lane.end(self._share, is_certain=not isinstance(error, UNCERTAIN))
