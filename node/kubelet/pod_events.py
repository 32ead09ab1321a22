"""Events about pods and their containers, with the texts people know.

A thin front of the EventRecorder: it knows how a container is named in an event. Called by all
that acts on pods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from control_plane.client.events import EventRecorder


class PodEvents:
    """Records events; never raises, never waits."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder

    def normal(self, pod: Object, reason: str, message: str) -> None:
        """Record a Normal event about the pod."""
        self._recorder.record(_named(pod), "Normal", reason, message)

    def warning(self, pod: Object, reason: str, message: str) -> None:
        """Record a Warning event about the pod."""
        self._recorder.record(_named(pod), "Warning", reason, message)


def _named(pod: Object) -> Object:
    """Objects from lists may lack kind and version, which the reference needs."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": pod["metadata"]}
