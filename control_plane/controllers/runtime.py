"""The runtime that every controller shares: wiring, workers, retries, periodic loops, isolation.

A controller is a row of data (`Controller`) around one level-triggered, idempotent function
`reconcile(key, cluster)`: it is told which object may need work, never what happened, and brings
the cluster one step nearer to what the object asks for. Outcomes:

* it returns: the key's failures are forgotten; with `requeue_after` it is queued again then;
* it raises: the key is queued again with growing delay, at most `max_retries` times if given; what
  is no ReconcileError, ApiError or OSError is a bug and is logged as a warning with its traceback;
* it raises TerminalError: logged, not retried until the next change;
* the refusal "namespace is being terminated": dropped, since nothing can be created there.

Called by server.py. A worker never ends because of what a reconcile function raises.
Source: controller-runtime's contract; retry rules from kubernetes pkg/controller/*.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from control_plane.api.errors import ApiError
from control_plane.api.resources import Resource
from control_plane.client.client import ApiClient
from control_plane.client.clock import LOOP_CLOCK, Clock
from control_plane.client.events import EventRecorder
from control_plane.client.informer_set import InformerSet
from control_plane.client.object_store import IndexFunction
from control_plane.client.rate_limit import BASE_SECONDS, MAX_SECONDS, ItemBackoff
from control_plane.client.workqueue import WorkQueue
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.sources import For, Source, attach

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A reconciliation that went well; requeue_after in seconds, None for not before a change."""

    requeue_after: float | None = None


DONE = Result()

Reconcile = Callable[[str, Cluster], Awaitable[Result]]


async def nothing_to_reconcile(key: str, cluster: Cluster) -> Result:
    """Stand for the reconcile function of a controller that has only loops."""
    del key, cluster
    return DONE


class TerminalError(Exception):
    """A reconciliation that cannot succeed before something changes: it is not retried."""


@dataclass(frozen=True, slots=True)
class Index:
    """An informer index that a controller reads."""

    resource: Resource
    name: str
    function: IndexFunction


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that is due every `seconds`, whatever changes; its exceptions are logged."""

    seconds: float
    step: Callable[[Cluster], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller, as data. `reads` are resources read from caches but not reacted to."""

    name: str
    component: str
    reconcile: Reconcile = nothing_to_reconcile
    sources: tuple[Source, ...] = ()
    reads: tuple[Resource, ...] = ()
    indexes: tuple[Index, ...] = ()
    loops: tuple[Loop, ...] = ()
    workers: int = 5
    max_retries: int | None = None
    backoff_seconds: tuple[float, float] = (BASE_SECONDS, MAX_SECONDS)


@dataclass(slots=True)
class ControllerRuntime:
    """One running controller; `attach` before the informers run, then `run`."""

    controller: Controller
    client: ApiClient
    informers: InformerSet
    clock: Clock = LOOP_CLOCK
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        """Make the controller's queue, recorder and view of the cluster."""
        base, cap = self.controller.backoff_seconds
        self.cluster = Cluster(
            self.client,
            self.informers,
            EventRecorder(self.client, self.controller.component, clock=self.clock),
            WorkQueue(clock=self.clock, backoff=ItemBackoff(base, cap)),
            self.clock,
        )

    def attach(self) -> None:
        """Make the informers, indexes and handlers that the controller needs."""
        own = next((s.resource for s in self.controller.sources if isinstance(s, For)), None)
        for resource in self.controller.reads:
            self.cluster.informer(resource)
        for index in self.controller.indexes:
            self.cluster.informer(index.resource).add_index(index.name, index.function)
        for source in self.controller.sources:
            attach(source, own, self.cluster)

    async def run(self) -> None:
        """Wait for the caches, then work until cancelled."""
        await self.informers.wait_synced()
        log.info("controller_started name=%s", self.controller.name)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.cluster.events.run())
            for _ in range(self.controller.workers):
                tasks.create_task(self._work(), name=f"{self.controller.name}-worker")
            for loop in self.controller.loops:
                tasks.create_task(self._repeat(loop), name=f"{self.controller.name}-loop")

    async def _work(self) -> None:
        queue = self.cluster.queue
        while True:
            key = await queue.get()
            try:
                await self._reconcile(key)
            finally:
                queue.done(key)

    async def _reconcile(self, key: str) -> None:
        name = self.controller.name
        try:
            result = await self.controller.reconcile(key, self.cluster)
        except TerminalError as error:
            log.warning("reconcile_refused controller=%s key=%s error=%s", name, key, error)
            self.cluster.queue.forget(key)
        except ApiError as error:
            if is_namespace_terminating(error):
                self.cluster.queue.forget(key)
            else:
                self._retry(key, error)
        except Exception as error:  # noqa: BLE001  a supervisor: no object may stop the controller
            self._retry(key, error)
        else:
            self.cluster.queue.forget(key)
            if result.requeue_after is not None:
                self.cluster.queue.add_after(key, result.requeue_after)

    def _retry(self, key: str, error: Exception) -> None:
        name, queue = self.controller.name, self.cluster.queue
        expected = isinstance(error, (ReconcileError, ApiError, OSError))
        log.log(
            logging.INFO if expected else logging.WARNING,
            "reconcile_failed controller=%s key=%s error=%s",
            name,
            key,
            error,
            exc_info=None if expected else error,
        )
        limit = self.controller.max_retries
        if limit is not None and queue.failures(key) >= limit:
            log.warning("reconcile_given_up controller=%s key=%s", name, key)
            queue.forget(key)
        else:
            queue.add_rate_limited(key)

    async def _repeat(self, loop: Loop) -> None:
        while True:
            try:
                await loop.step(self.cluster)
            except Exception:  # a supervisor: the next round may go better
                log.exception("loop_failed controller=%s", self.controller.name)
            await self.clock.sleep(loop.seconds)


def is_namespace_terminating(error: ApiError) -> bool:
    """Whether the server refused to create something because its namespace is going away."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.causes)
