"""What is remembered of one pod's resize between syncs, and what is told of it. The acting half of
resize.py.

Owned by pod_sync.py. All of it can be lost without harm: what was granted is in the pod's status.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import identity_of, pod_id
from node.kubelet.resize import Resizing, differing, grant, summary, with_granted_resources
from node.kubelet.runtimes.base import RuntimeFailure

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.pod_actions import Update
    from node.kubelet.pod_services import PodServices
    from node.kubelet.runtimes.base import PodRecord

log = logging.getLogger(__name__)


class ResizeProgress:
    """`resizing` is what was decided last, None before the first sync."""

    def __init__(self, services: PodServices) -> None:
        self._services = services
        self._begun = False
        self.resizing: Resizing | None = None

    def decide(self, pod: Object) -> Object:
        """Decide on the resources that the pod wants; return it with those it gets."""
        services, before = self._services, self.resizing
        others = [p for p in services.active_pods() if identity_of(p) != identity_of(pod)]
        found = grant(pod, others, services.node.allocatable)
        if found.pending is not None and (before is None or before.pending != found.pending):
            reason = found.pending[0]
            services.events.warning(pod, f"Resize{reason}", f"Pod resize {reason}: {summary(pod)}")
        elif found.asked and found.pending is None and not self._begun:
            services.events.normal(pod, "ResizeStarted", f"Pod resize started: {summary(pod)}")
            self._begun = True
        error = before.error if before is not None and self._begun else ""
        self.resizing = replace(found, error=error)
        return found.pod

    def shown(self, pod: Object) -> Object:
        """Return the pod as its status is to show it: with what it has while more is pending."""
        pending = self.resizing is not None and self.resizing.pending is not None
        return with_granted_resources(pod) if pending else pod

    async def update(self, pod: Object, update: Update) -> None:
        """Give a running container its new limits; what the runtime objects to is shown."""
        error = ""
        try:
            await self._services.runtime.update(update.container.id, update.limits)
        except RuntimeFailure as failure:
            error = str(failure)
            text = f"Pod resize error: {summary(pod, error)}"
            self._services.events.warning(pod, "ResizeError", text)
            log.warning("resize_failed pod=%s error=%s", pod_id(pod), error)
        if self.resizing is not None:
            self.resizing = replace(self.resizing, error=error)

    def end(self, pod: Object, record: PodRecord) -> None:
        """Tell it when everything granted is in force."""
        if self._begun and not any(differing(pod, record)):
            self._begun = False
            text = f"Pod resize completed: {summary(pod)}"
            self._services.events.normal(pod, "ResizeCompleted", text)
