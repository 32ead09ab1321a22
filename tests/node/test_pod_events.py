"""Events about pods: whom they name."""

from typing import Any

import pytest

from control_plane.client.events import reference_to
from node.kubelet.pod_events import PodEvents
from tests.node.builders import UID, container, pod

POD = pod(
    container("main"),
    initContainers=[container("setup")],
    ephemeralContainers=[container("debug")],
)


class Recorder:
    """Keeps the references that an EventRecorder would write."""

    def __init__(self) -> None:
        self.references: list[dict[str, Any]] = []

    def record(self, obj: dict[str, Any], event_type: str, reason: str, message: str) -> None:
        self.references.append(reference_to(obj))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("main", "spec.containers{main}"),
        ("setup", "spec.initContainers{setup}"),
        ("debug", "spec.ephemeralContainers{debug}"),
        ("gone", None),
        ("", None),
    ],
)
def test_a_container_is_named_by_its_path_in_the_pod(name: str, path: str | None) -> None:
    recorder = Recorder()
    events = PodEvents(recorder)  # type: ignore[arg-type]
    events.normal(POD, "Started", "Container started", container=name)
    events.warning(POD, "Failed", "Error", container=name)
    for reference in recorder.references:
        assert reference.get("fieldPath") == path
        assert (reference["kind"], reference["apiVersion"], reference["uid"]) == ("Pod", "v1", UID)
    assert len(recorder.references) == 2
