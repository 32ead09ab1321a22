"""Registers the node and keeps it alive: its status, and its Lease in kube-node-lease.

Called by server.py, which owns the two loops. The status is computed every 10 s and sent when it
changed, or after 5 minutes; the Lease is renewed every quarter of its duration. Nothing here gives
up: an API server that is away is tried again, without end.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.resources import LEASES, NODES
from control_plane.api.timestamps import micro_now
from control_plane.api.timestamps import now as now_text
from node.kubelet.machine.node_object import (
    lease_object,
    new_node,
    node_annotations,
    node_conditions,
    node_images,
    node_labels,
    node_status,
)
from node.kubelet.runtimes.base import Runtime, RuntimeFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object
    from control_plane.client.client import ApiClient
    from control_plane.client.events import EventRecorder
    from node.kubelet.config import KubeletConfig
    from node.kubelet.machine.facts import MachineFacts

log = logging.getLogger(__name__)

_LEASE_NAMESPACE = "kube-node-lease"
_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.1, 7.0
_TROUBLE = (ApiError, OSError)


class NodeReporter:
    """The node's presence in the API. `port` is the one the kubelet serves on."""

    def __init__(
        self,
        config: KubeletConfig,
        client: ApiClient,
        runtime: Runtime,
        facts: MachineFacts,
        recorder: EventRecorder,
        port: int,
    ) -> None:
        self._config, self._client, self._runtime = config, client, runtime
        self._facts, self._recorder, self._port = facts, recorder, port
        self._uid = ""
        self._sent: Object = {}
        self._sent_at = 0.0
        self.ready = asyncio.Event()

    async def register(self) -> None:
        """Create the Node, or put our labels back on an existing one; retries until it works."""
        seconds = _FIRST_RETRY_SECONDS
        while True:
            try:
                await self._register_once()
                return
            except _TROUBLE as error:
                log.info("register_retry node=%s error=%s", self._config.node_name, error)
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, _LAST_RETRY_SECONDS)

    async def report_forever(self) -> None:
        """Keep the status up to date until cancelled."""
        while True:
            try:
                await self.report()
                self.ready.set()
            except NotFound:
                await self.register()  # somebody deleted the Node
                continue
            except _TROUBLE as error:
                log.warning("node_status_unsent error=%s", error)
            await asyncio.sleep(self._config.status_update_seconds if self.ready.is_set() else 0.5)

    async def renew_forever(self) -> None:
        """Keep the Lease renewed until cancelled."""
        period = self._config.lease_seconds * 0.25
        while True:
            try:
                await self.renew()
            except _TROUBLE as error:
                log.warning("lease_unrenewed error=%s", error)
            await asyncio.sleep(period * random.uniform(1.0, 1.04))

    async def report(self) -> None:
        """Send the status if it changed or is old."""
        name = self._config.node_name
        version, problem, images = await self._runtime_state()
        status = node_status(
            name,
            self._facts,
            port=self._port,
            max_pods=self._config.max_pods,
            runtime_version=version,
        )
        status["images"] = images
        conditions = node_conditions(self._sent.get("conditions") or (), problem, now_text())
        status["conditions"] = conditions
        now = asyncio.get_running_loop().time()
        age = now - self._sent_at
        if _same(status, self._sent) and age < self._config.status_report_seconds:
            return
        await self._client.patch(
            NODES, name, {"status": status}, subresource="status", kind="strategic"
        )
        self._tell(conditions)
        self._sent, self._sent_at = status, now

    async def renew(self) -> None:
        """Renew the Lease, making it when there is none."""
        name = self._config.node_name
        lease = lease_object(name, self._uid, self._config.lease_seconds, micro_now())
        patch = {"spec": lease["spec"]}
        try:
            await self._client.patch(LEASES, name, patch, _LEASE_NAMESPACE, kind="merge")
        except NotFound:
            await self._client.create(LEASES, lease)

    async def _register_once(self) -> None:
        name = self._config.node_name
        labels = node_labels(name, self._facts, self._config.node_labels)
        annotations = node_annotations(self._runtime.name)
        try:
            node = await self._client.create(NODES, new_node(name, labels, annotations))
            log.info("node_registered node=%s", name)
        except AlreadyExists:
            patch = {"metadata": {"labels": labels, "annotations": annotations}}
            node = await self._client.patch(NODES, name, patch, kind="merge")
        self._uid = node["metadata"]["uid"]
        self._sent = {"conditions": (node.get("status") or {}).get("conditions") or []}

    async def _runtime_state(self) -> tuple[str, str, list[Object]]:
        """Return the runtime's version, what is wrong with it ("" for nothing), and its images."""
        try:
            version = await self._runtime.version()
            return version, "", node_images(await self._runtime.list_images())
        except RuntimeFailure as error:
            known = (self._sent.get("nodeInfo") or {}).get("containerRuntimeVersion", "")
            return known, f"container runtime is down: {error}", self._sent.get("images") or []

    def _tell(self, conditions: Sequence[Object]) -> None:
        """Record an event for a change of readiness."""
        before = {c["type"]: c["status"] for c in self._sent.get("conditions") or ()}
        ready = next(c["status"] for c in conditions if c["type"] == "Ready")
        if before.get("Ready") == ready:
            return
        reason = "NodeReady" if ready == "True" else "NodeNotReady"
        name = self._config.node_name
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        text = f"Node {name} status is now: {reason}"
        self._recorder.record(node, "Normal", reason, text)


def _same(status: Object, before: Object) -> bool:
    """Return whether two statuses differ in nothing but heartbeat times."""
    return _timeless(status) == _timeless(before)


def _timeless(status: Object) -> Object:
    conditions = [
        {k: v for k, v in condition.items() if k != "lastHeartbeatTime"}
        for condition in status.get("conditions") or ()
    ]
    return {**status, "conditions": conditions}
