"""Leader election: of several processes that may lead, one holds a Lease object and leads.

Used by scheduler and controller manager when they run as processes of their own. The holder renews
every 2 s; others take over when they have not seen the Lease change for its duration, measured by
their own clock from the moment they saw it (clocks of machines are never compared). A holder that
cannot renew for 10 s stops leading, so two never lead at once.
Source: client-go tools/leaderelection.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, deep_copy
from control_plane.api.resources import LEASES
from control_plane.api.timestamps import micro_now
from control_plane.client.client import ApiClient, ApiUnavailable
from control_plane.client.clock import LOOP_CLOCK, Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ElectionTiming:
    """Seconds: how long a Lease lasts, how long renewing may fail, how often to try."""

    lease: float = 15.0
    renew: float = 10.0
    retry: float = 2.0


class LeadershipLost(Exception):
    """The Lease could not be renewed in time, or somebody else has it: stop, start over."""


@dataclass(frozen=True, slots=True)
class _Observation:
    """What a Lease said when it last changed, and when we saw that, in monotonic seconds."""

    spec: Object
    at: float


class LeaderElector:
    """One candidate for the Lease `namespace/name`, known to the others as `identity`."""

    def __init__(
        self,
        client: ApiClient,
        name: str,
        identity: str,
        *,
        namespace: str = "kube-system",
        timing: ElectionTiming | None = None,
        clock: Clock = LOOP_CLOCK,
    ) -> None:
        """Prepare; nothing is read before `run`. Identities must differ between processes."""
        self._client = client
        self._name = name
        self._identity = identity
        self._namespace = namespace
        self._timing = timing or ElectionTiming()
        self._clock = clock
        self._observed: _Observation | None = None
        self._lease: Object | None = None
        self._held_at = 0.0  # when the renewal that succeeded last was begun

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for leadership, then run `lead` until it returns, fails, or leadership is lost.

        In the last case `lead` is cancelled and LeadershipLost raised. On every other way out,
        being cancelled included, the Lease is given up so that the next candidate need not wait.
        """
        while not await self._try_to_hold():
            await self._clock.sleep(self._timing.retry)
        log.info("leading lease=%s identity=%s", self._name, self._identity)
        try:
            await self._lead_while_holding(lead)
        finally:
            await self._release()

    async def _lead_while_holding(self, lead: Callable[[], Awaitable[None]]) -> None:
        work = asyncio.ensure_future(lead())
        renewal = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait((work, renewal), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, renewal):
                task.cancel()
            outcomes = await asyncio.gather(work, renewal, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _renew(self) -> None:
        """Renew the Lease for as long as that succeeds; raises LeadershipLost.

        No attempt outlasts the time since the last success: others may lead when the Lease is over.
        """
        while True:
            await self._clock.sleep(self._timing.retry)
            held = await self._try_to_hold(self._seconds_left())
            if not held and self._seconds_left() <= 0:
                raise LeadershipLost(f"{self._identity} no longer holds lease {self._name}")

    def _seconds_left(self) -> float:
        return self._held_at + self._timing.renew - self._clock.monotonic()

    async def _try_to_hold(self, seconds: float | None = None) -> bool:
        """Take or renew the Lease; False when another holds it or the server did not agree."""
        try:
            async with asyncio.timeout(self._timing.renew if seconds is None else seconds):
                return await self._hold()
        except (ApiError, ApiUnavailable, TimeoutError) as error:
            log.info("lease_not_held lease=%s error=%s", self._name, error)
            return False

    async def _hold(self) -> bool:
        began_at = self._clock.monotonic()
        try:
            lease = await self._client.get(LEASES, self._name, self._namespace)
        except NotFound:
            self._remember(await self._client.create(LEASES, self._new_lease()), began_at)
            return True
        self._observe(lease)
        if not self._may_hold(lease):
            return False
        claimed = deep_copy(lease)
        claimed["spec"] = claim(lease.get("spec", {}), self._identity, self._timing.lease)
        self._remember(await self._client.update(LEASES, claimed), began_at)
        return True

    def _may_hold(self, lease: Object) -> bool:
        """Whether the Lease is ours, free, or was not renewed for its whole duration."""
        spec = lease.get("spec", {})
        holder = spec.get("holderIdentity") or ""
        assert self._observed is not None
        expires = self._observed.at + float(spec.get("leaseDurationSeconds") or 0)
        return holder in ("", self._identity) or self._clock.monotonic() >= expires

    def _observe(self, lease: Object) -> None:
        spec = lease.get("spec", {})
        if self._observed is None or self._observed.spec != spec:
            self._observed = _Observation(spec, self._clock.monotonic())

    def _remember(self, lease: Object, began_at: float) -> None:
        self._lease = lease
        self._held_at = began_at
        self._observe(lease)

    def _new_lease(self) -> Object:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": claim({}, self._identity, self._timing.lease) | {"leaseTransitions": 0},
        }

    async def _release(self) -> None:
        """Give the Lease up, if it is still as we wrote it; failing that it runs out by itself."""
        if self._lease is None:
            return
        released = deep_copy(self._lease)
        released["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
        try:
            async with asyncio.timeout(self._timing.retry):
                await self._client.update(LEASES, released)
        except (ApiError, ApiUnavailable, TimeoutError) as error:
            log.info("lease_not_released lease=%s error=%s", self._name, error)


def claim(spec: Object, identity: str, lease_seconds: float) -> dict[str, Any]:
    """Return the Lease spec with which `identity` takes over or renews `spec`."""
    stamp = micro_now()
    ours = spec.get("holderIdentity") == identity
    transitions = int(spec.get("leaseTransitions") or 0)
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": max(1, round(lease_seconds)),
        "acquireTime": spec.get("acquireTime") or stamp if ours else stamp,
        "renewTime": stamp,
        "leaseTransitions": transitions if ours else transitions + 1,
    }
