"""Publishing one pod's status: a patch when something changed, nothing otherwise.

Owned by a pod worker, which awaits each write: so the writes of a pod are in order and there is no
queue. What was published last is remembered, because the informer's copy of the pod lags behind
our own writes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from control_plane.api.errors import ApiError, Conflict, NotFound
from control_plane.api.resources import PODS
from node.kubelet.pod_spec import pod_id
from node.kubelet.status.conditions import OWNED
from node.kubelet.status.pod_status import status_patch

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from control_plane.client.client import ApiClient

log = logging.getLogger(__name__)

_WRITE_SECONDS = 10.0


class StatusWriter:
    """The status of one pod, as published."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._published: Object | None = None
        self._computed: Object | None = None

    def newest(self, pod: Object) -> Object:
        """Return the pod with the status computed last, published or not yet.

        What the node itself answers with: whoever saw a status must be served by it.
        """
        return pod if self._computed is None else {**pod, "status": self._computed}

    def current(self, pod: Object) -> Object:
        """Return the pod with the newest status known: ours, with the conditions of others."""
        if self._published is None:
            return pod
        shown = (pod.get("status") or {}).get("conditions") or ()
        foreign = [c for c in shown if c["type"] not in OWNED]
        own = [c for c in self._published.get("conditions") or () if c["type"] in OWNED]
        return {**pod, "status": {**self._published, "conditions": foreign + own}}

    async def publish(self, pod: Object, status: Object) -> bool:
        """Send what differs; return False when it must be tried again.

        A pod that is gone, or is another one by now, takes no status: that is not an error.
        """
        self._computed = status
        before = self.current(pod).get("status") or {}
        patch = status_patch(before, status)
        if not patch:
            return True
        meta = pod["metadata"]
        body = {"metadata": {"uid": meta["uid"]}, "status": patch}
        try:
            async with asyncio.timeout(_WRITE_SECONDS):
                await self._client.patch(
                    PODS,
                    meta["name"],
                    body,
                    meta.get("namespace"),
                    subresource="status",
                    kind="strategic",
                )
        except (NotFound, Conflict) as error:
            log.info("status_dropped pod=%s error=%s", pod_id(pod), error)
            return True
        except (ApiError, OSError) as error:
            log.warning("status_unsent pod=%s error=%s", pod_id(pod), error)
            return False
        self._published = status
        return True
