"""The event recorder: tells people, through Event objects, what a component did and why.

Called by controllers, scheduler and kubelet; never raises and never waits, because nothing may
fail for want of an event. Events go through a bounded queue (1000; a full one drops the newest,
with a log line) to a task of the recorder's own, `run`, which correlates (event_correlation.py)
and writes them. An unreachable server is tried again for 2 minutes (12 times, 10 s apart); a
refusal drops the event.

Two forms, as upstream: without `action` the classic one with count, first and last timestamp; with
`action` the newer one with eventTime and series. Source: client-go tools/record, tools/events.
"""

import asyncio
import logging
import socket
import time
from typing import Protocol

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import EVENTS, Resource
from control_plane.api.timestamps import micro_now, now
from control_plane.client.client import ApiUnavailable
from control_plane.client.clock import LOOP_CLOCK, Clock
from control_plane.client.event_correlation import EventCorrelator

log = logging.getLogger(__name__)

QUEUE_LIMIT = 1000
TRIES = 12
RETRY_SECONDS = 10.0
MAX_MESSAGE = 1024  # the API's limit
_MAX_NAME_BASE = 253 - 17  # the suffix is a dot and 16 hex digits


class EventSink(Protocol):
    """Where events are written: the API client, or what does the same without a network."""

    async def create(self, resource: Resource, obj: Object, /) -> Object:
        """Store a new event; raises ApiError or ApiUnavailable."""
        ...

    async def patch(
        self, resource: Resource, name: str, patch: Object, namespace: str, /, *, kind: str
    ) -> Object:
        """Change an event; raises ApiError or ApiUnavailable."""
        ...


class EventRecorder:
    """Records events of one component; `host` is the node's name for a component of a node."""

    def __init__(
        self, client: EventSink, component: str, host: str = "", *, clock: Clock = LOOP_CLOCK
    ) -> None:
        """Prepare; events queue up until `run` is started."""
        self._client = client
        self._source = {"component": component} | ({"host": host} if host else {})
        self._clock = clock
        self._correlator = EventCorrelator()
        self._queue: asyncio.Queue[Object] = asyncio.Queue(QUEUE_LIMIT)

    def record(
        self,
        obj: Object,
        event_type: str,
        reason: str,
        message: str,
        *,
        action: str = "",
        related: Object | None = None,
    ) -> None:
        """Record an event about `obj`; event_type is "Normal" or "Warning", reason CamelCase.

        A message over 1024 characters is cut. `action` chooses the newer form.
        """
        event = self._make(obj, event_type, reason, message[:MAX_MESSAGE])
        event |= self._newer_form(action) if action else self._classic_form()
        if related is not None:
            event["related"] = reference_to(related)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            log.warning("event_dropped reason=%s object=%s", reason, name_of(obj))

    async def run(self) -> None:
        """Write the recorded events in order, until cancelled."""
        while True:
            event = await self._queue.get()
            try:
                await self._write(event)
            except Exception:
                log.exception("event_failed reason=%s", event.get("reason"))
            finally:
                self._queue.task_done()

    async def flush(self) -> None:
        """Wait until every event recorded so far has been written or dropped."""
        await self._queue.join()

    def _make(self, obj: Object, event_type: str, reason: str, message: str) -> Object:
        namespace = namespace_of(obj) or "default"
        name = f"{name_of(obj)[:_MAX_NAME_BASE]}.{time.time_ns():016x}"
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": reference_to(obj),
            "type": event_type,
            "reason": reason,
            "message": message,
            "source": dict(self._source),
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
        }

    def _classic_form(self) -> Object:
        stamp = now()
        return {"count": 1, "firstTimestamp": stamp, "lastTimestamp": stamp}

    def _newer_form(self, action: str) -> Object:
        component = self._source["component"]
        return {
            "action": action,
            "eventTime": micro_now(),
            "reportingInstance": self._source.get("host") or f"{component}-{socket.gethostname()}",
        }

    async def _write(self, event: Object) -> None:
        correlated = self._correlator.correlate(event, self._clock.monotonic())
        if correlated is None:
            log.debug("event_spam reason=%s", event["reason"])
            return
        key, latest = correlated
        stored = await self._send(latest, event)
        if stored is not None:
            self._correlator.remember(key, stored)

    async def _send(self, latest: Object, fresh: Object) -> Object | None:
        for _ in range(TRIES):
            try:
                return await self._create_or_patch(latest, fresh)
            except ApiError as error:
                log.info("event_refused reason=%s error=%s", fresh["reason"], error)
                return None
            except ApiUnavailable as error:
                log.info("event_delayed reason=%s error=%s", fresh["reason"], error)
                await self._clock.sleep(RETRY_SECONDS)
        log.warning("event_lost reason=%s message=%s", fresh["reason"], fresh["message"])
        return None

    async def _create_or_patch(self, latest: Object, fresh: Object) -> Object:
        """Write a new event, or the new count of an old one; a vanished old one is begun afresh."""
        if not latest["metadata"].get("resourceVersion"):
            return await self._client.create(EVENTS, latest)
        changed = {name: latest[name] for name in _REPEAT_FIELDS if name in latest}
        try:
            return await self._client.patch(
                EVENTS, name_of(latest), changed, namespace_of(latest), kind="strategic"
            )
        except NotFound:
            return await self._client.create(EVENTS, fresh)


_REPEAT_FIELDS = ("count", "lastTimestamp", "message", "series")


def reference_to(obj: Object) -> Object:
    """Return the ObjectReference of `obj`, without the fields it has no value for.

    A `fieldPath` beside the metadata says which part is meant, as in a reference itself: how the
    kubelet names one container of a pod.
    """
    meta = obj.get("metadata", {})
    reference = {
        "kind": obj.get("kind", ""),
        "namespace": meta.get("namespace", ""),
        "name": meta.get("name", ""),
        "uid": meta.get("uid", ""),
        "apiVersion": obj.get("apiVersion", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
        "fieldPath": obj.get("fieldPath", ""),
    }
    return {name: value for name, value in reference.items() if value}
