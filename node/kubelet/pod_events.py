"""Events about pods and their containers, with the texts people know.

A thin front of the EventRecorder: it knows how a container is named in an event. Called by all
that acts on pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.pod_spec import field_path

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from control_plane.client.events import EventRecorder


class PodEvents:
    """Records events about a pod, or about the container of it that is named; never raises, never
    waits.
    """

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder

    def normal(self, pod: Object, reason: str, message: str, *, container: str = "") -> None:
        """Record a Normal event."""
        self._recorder.record(_subject(pod, container), "Normal", reason, message)

    def warning(self, pod: Object, reason: str, message: str, *, container: str = "") -> None:
        """Record a Warning event."""
        self._recorder.record(_subject(pod, container), "Warning", reason, message)


def _subject(pod: Object, container: str) -> Object:
    """Objects from lists may lack kind and version, which the reference needs."""
    subject = {"apiVersion": "v1", "kind": "Pod", "metadata": pod["metadata"]}
    return subject | {"fieldPath": field_path(pod, container)} if container else subject
