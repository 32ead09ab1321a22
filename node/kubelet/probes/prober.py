"""Runs the probes of all pods: one task for each (container, probe), owned by the pod's entry here.

The pod worker tells it what runs (`watch`), and asks what the probes say (`view`); a changed
result wakes the worker through `on_change`. Liveness and readiness wait until the container has
started (its startup probe passed). A container that the kubelet finds running after its own
restart keeps the readiness the API shows until its probes say otherwise.

Bound: probes of one container are spread by their period; there is one task a probe, none for
containers without.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from node.kubelet.pod_actions import Verdicts
from node.kubelet.pod_spec import containers, find_status, init_containers, is_sidecar, pod_id
from node.kubelet.probes import PROBES
from node.kubelet.probes.base import Outcome, ProbeTarget, ProbeTrouble
from node.kubelet.probes.state import INITIAL, ProbeState, is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object
    from node.kubelet.pod_events import PodEvents
    from node.kubelet.runtimes.base import ContainerRecord, PodRecord, Runtime

log = logging.getLogger(__name__)

KINDS = {"startupProbe": "Startup", "livenessProbe": "Liveness", "readinessProbe": "Readiness"}
_TRIES = 3
_CRASH_PAUSE_SECONDS = 10.0


@dataclass(slots=True)
class _Watched:
    """The probes of one running container."""

    pod: Object
    container: Object
    record: ContainerRecord
    address: str
    states: dict[str, ProbeState] = field(default_factory=dict)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    poke: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self) -> bool:
        """Return whether the container has started, as far as its startup probe can tell."""
        state = self.states.get("startupProbe")
        return state is None or state.result == "success"

    def ready(self) -> bool:
        """Return whether traffic may come."""
        state = self.states.get("readinessProbe")
        return self.started() and (state is None or state.result == "success")

    def failed(self) -> str | None:
        """Return the probe because of which the container must be killed."""
        for kind, cause in (("startupProbe", "startup"), ("livenessProbe", "liveness")):
            state = self.states.get(kind)
            if state is not None and state.result == "failure":
                return cause
        return None


@dataclass(frozen=True, slots=True)
class ProbeView:
    """What probes say about one pod's running containers, by container id."""

    verdicts: Verdicts
    started: frozenset[str]
    ready: frozenset[str]


class Prober:
    """All probes of the node."""

    def __init__(
        self, runtime: Runtime, events: PodEvents, on_change: Callable[[str], None]
    ) -> None:
        self._runtime, self._events, self._on_change = runtime, events, on_change
        self._pods: dict[str, dict[str, _Watched]] = {}

    def watch(self, pod: Object, record: PodRecord, address: str) -> None:
        """Probe what runs now, and stop probing what does not."""
        watched = self._pods.setdefault(pod["metadata"]["uid"], {})
        running = {c.id: c for c in record.containers if c.phase == "running"}
        for container_id in set(watched) - set(running):
            _cancel(watched.pop(container_id))
        for container in _probed(pod):
            newest = record.newest(container["name"])
            if newest is not None and newest.id in running and newest.id not in watched:
                watched[newest.id] = self._begin(pod, container, newest, address)

    def view(self, pod: Object) -> ProbeView:
        """Return what is known now."""
        watched = self._pods.get(pod["metadata"]["uid"], {})
        started = frozenset(cid for cid, w in watched.items() if w.started())
        ready = frozenset(cid for cid, w in watched.items() if w.ready())
        failed = {cid: cause for cid, w in watched.items() if (cause := w.failed())}
        return ProbeView(Verdicts(failed, started), started, ready)

    def begin_termination(self, uid: str) -> None:
        """Stop liveness and startup probes of a pod; readiness goes on until its containers end."""
        for watched in self._pods.get(uid, {}).values():
            for kind in ("livenessProbe", "startupProbe"):
                if task := watched.tasks.pop(kind, None):
                    task.cancel()

    def forget(self, uid: str) -> None:
        """Stop all probes of a pod."""
        for watched in self._pods.pop(uid, {}).values():
            _cancel(watched)

    async def close(self) -> None:
        """Stop everything and wait for it."""
        tasks = [t for pod in self._pods.values() for w in pod.values() for t in w.tasks.values()]
        for uid in list(self._pods):
            self.forget(uid)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(
        self, pod: Object, container: Object, record: ContainerRecord, address: str
    ) -> _Watched:
        watched = _Watched(pod, container, record, address)
        if self._runtime.simulates:
            return watched  # nothing to ask: simulated containers are started and ready
        known = _shown_status(pod, record)
        for kind in KINDS:
            if container.get(kind):
                watched.states[kind] = _initial_state(kind, known)
                task = asyncio.create_task(
                    self._supervise(watched, kind), name=f"probe-{kind}-{record.name}"
                )
                watched.tasks[kind] = task
        return watched

    async def _supervise(self, watched: _Watched, kind: str) -> None:
        """Keep a probe going whatever goes wrong in it: a bug must not stop all probing."""
        while True:
            try:
                await self._run(watched, kind)
            except Exception:
                log.exception("probe_crashed pod=%s probe=%s", pod_id(watched.pod), kind)
                await asyncio.sleep(_CRASH_PAUSE_SECONDS)
            else:
                return

    async def _run(self, watched: _Watched, kind: str) -> None:
        """Probe for as long as the container is the same and the verdict open."""
        probe = watched.container[kind]
        await asyncio.sleep(_initial_delay(watched.record, probe))
        while not is_held(kind, watched.states[kind]):
            if kind == "startupProbe" or watched.started():
                await self._probe_once(watched, kind, probe)
            watched.poke.clear()
            try:
                async with asyncio.timeout(float(probe.get("periodSeconds") or 10)):
                    await watched.poke.wait()
            except TimeoutError:
                continue

    async def _probe_once(self, watched: _Watched, kind: str, probe: Object) -> None:
        outcome = await self._ask(watched, kind, probe)
        if outcome is None:
            return
        self._tell(watched, kind, outcome)
        before = watched.states[kind]
        after = watched.states[kind] = before.observe(outcome.success, probe)
        if after.result == before.result:
            return
        log.info(
            "probe_changed pod=%s container=%s probe=%s result=%s",
            pod_id(watched.pod),
            watched.record.name,
            kind,
            after.result,
        )
        watched.poke.set()  # what waits for the startup probe need not wait a period
        self._on_change(watched.pod["metadata"]["uid"])

    async def _ask(self, watched: _Watched, kind: str, probe: Object) -> Outcome | None:
        key = next((key for key in PROBES if key in probe), None)
        if key is None:
            return None
        target = ProbeTarget(
            self._runtime,
            watched.container,
            watched.record.id,
            watched.address,
            probe[key],
            float(probe.get("timeoutSeconds") or 1),
        )
        trouble = ""
        for _ in range(_TRIES):
            try:
                return await PROBES[key](target)
            except ProbeTrouble as error:
                trouble = str(error)
        text = f"{KINDS[kind]} probe errored and resulted in unknown state: {trouble}"
        self._warn(watched, "Unhealthy", text)
        return None

    def _tell(self, watched: _Watched, kind: str, outcome: Outcome) -> None:
        title = KINDS[kind]
        if not outcome.success:
            self._warn(watched, "Unhealthy", f"{title} probe failed: {outcome.output}")
        elif outcome.warning:
            self._warn(watched, "ProbeWarning", f"{title} probe warning: {outcome.output}")

    def _warn(self, watched: _Watched, reason: str, text: str) -> None:
        self._events.warning(watched.pod, reason, text, container=watched.record.name)


def _probed(pod: Object) -> list[Object]:
    return containers(pod) + [c for c in init_containers(pod) if is_sidecar(c)]


def _initial_delay(record: ContainerRecord, probe: Object) -> float:
    delay = float(probe.get("initialDelaySeconds") or 0)
    started = datetime.fromisoformat(record.started_at[:19]).replace(tzinfo=UTC)
    return max(0.0, delay - (datetime.now(UTC) - started).total_seconds())


def _initial_state(kind: str, known: Mapping[str, object]) -> ProbeState:
    if kind == "readinessProbe" and known.get("ready"):
        return ProbeState("success")
    if kind == "startupProbe" and known.get("started"):
        return ProbeState("success")
    return ProbeState(INITIAL[kind])


def _shown_status(pod: Object, record: ContainerRecord) -> Mapping[str, object]:
    """Return the status the API shows for this very container."""
    shown = find_status(pod, record.name)
    return shown if str(shown.get("containerID", "")).endswith(f"//{record.id}") else {}


def _cancel(watched: _Watched) -> None:
    for task in watched.tasks.values():
        task.cancel()
    watched.tasks.clear()
