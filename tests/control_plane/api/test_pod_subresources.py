"""What a pod's ephemeralcontainers and resize endpoints take, and what they refuse."""

from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.objects import Object, deep_copy
from control_plane.api.preparation import prepare_for_update
from control_plane.api.resources import PODS
from control_plane.api.validation import validate_update
from tests.control_plane.api.valid_objects import named

NOW = "2026-01-02T03:04:05Z"
DEBUGGER = {"name": "d", "image": "i:1", "targetContainerName": "c"}
SMALL = {"requests": {"cpu": "100m", "memory": "1Mi"}, "limits": {"cpu": "200m"}}
LARGE = {"requests": {"cpu": "150m", "memory": "2Mi"}, "limits": {"cpu": "300m"}}
SIDECAR = {"name": "s", "image": "i:1", "restartPolicy": "Always", "resources": SMALL}
INIT = {"name": "i", "image": "i:1", "resources": SMALL}


def pod(*, metadata: Object | None = None, status: Object | None = None, **spec: Any) -> Object:
    container = {"name": "c", "image": "i:1", "resources": SMALL}
    made = named(PODS, spec={"containers": [container], **spec})
    apply_defaults(PODS, made)
    made["metadata"] |= {"generation": 1, "resourceVersion": "7", **(metadata or {})}
    made["status"] = {"phase": "Running", "qosClass": "Burstable", **(status or {})}
    return made


def written(old: Object, subresource: str, **changes: Any) -> tuple[Object, list[str]]:
    """Send `old` with changed parts of the spec; return what would be stored, and the errors."""
    new = deep_copy(old)
    new["metadata"]["labels"] = {"sent": "too"}
    new["status"] = {"phase": "Failed"}
    new["spec"] |= deep_copy(changes)
    apply_defaults(PODS, new)
    prepare_for_update(PODS, new, old, now=NOW, subresource=subresource)
    return new, [str(e) for e in validate_update(PODS, new, old, subresource=subresource)]


def test_only_ephemeral_containers_are_taken() -> None:
    old = pod()
    ephemeral = {"ephemeralContainers": [DEBUGGER]}
    new, errors = written(old, "ephemeralcontainers", activeDeadlineSeconds=5, **ephemeral)
    assert errors == []
    assert [c["name"] for c in new["spec"].pop("ephemeralContainers")] == ["d"]
    assert new["metadata"].pop("generation") == 2
    del old["metadata"]["generation"]
    assert new == old


def test_no_change_is_no_generation() -> None:
    for subresource in ("ephemeralcontainers", "resize"):
        new, errors = written(pod(), subresource, nodeName="n")
        assert (new, errors) == (pod(), [])


@pytest.mark.parametrize(
    ("containers", "error"),
    [
        (
            [],
            'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be '
            "removed\n",
        ),
        (
            [{**DEBUGGER, "image": "i:2"}],
            'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be '
            'changed\n@@ -1,6 +1,6 @@\n {\n  "Name": "d",\n- "Image": "i:1",\n+ "Image": "i:2",\n'
            '  "Command": null,\n  "Args": null,\n  "WorkingDir": "",\n',
        ),
        (
            [DEBUGGER, {"name": "c", "image": "i:1"}],
            'spec.ephemeralContainers[1].name: Duplicate value: "c"',
        ),
        (
            [DEBUGGER, {"name": "e", "image": "i:1", "ports": [{"containerPort": 1}]}],
            "spec.ephemeralContainers[1].ports: Forbidden: cannot be set for an Ephemeral "
            "Container",
        ),
        (
            [DEBUGGER, {"name": "e", "image": "i:1", "targetContainerName": "x"}],
            'spec.ephemeralContainers[1].targetContainerName: Not found: "x"',
        ),
    ],
)
def test_refused_ephemeral_containers(containers: list[Object], error: str) -> None:
    old = pod(ephemeralContainers=[DEBUGGER])
    _, errors = written(old, "ephemeralcontainers", ephemeralContainers=containers)
    assert errors == [error]


def test_static_pods() -> None:
    old = pod(metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}, nodeName="n")
    changes = {"ephemeralContainers": [DEBUGGER]}
    _, errors = written(old, "ephemeralcontainers", **changes)
    assert errors == ["[]: Forbidden: static pods do not support ephemeral containers"]
    _, errors = written(old, "resize")
    assert errors == ["[]: Forbidden: static pods cannot be resized"]


def resized(
    old: Object, resources: Object, kind: str = "containers", **more: Any
) -> tuple[Object, list[str]]:
    containers = [deep_copy(container) for container in old["spec"][kind]]
    containers[0] |= {"resources": resources, **more}
    return written(old, "resize", **{kind: containers})


def test_only_resources_and_their_policies_are_taken() -> None:
    policies = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    new, errors = resized(pod(), LARGE, resizePolicy=policies, image="i:2")
    assert errors == []
    (container,) = new["spec"]["containers"]
    assert (container["resources"], container["image"]) == (LARGE, "i:1")
    assert container["resizePolicy"] == policies
    assert new["metadata"]["generation"] == 2
    assert "labels" not in new["metadata"]
    assert new["status"] == pod()["status"]


def test_sidecars_are_resized_too() -> None:
    new, errors = resized(pod(initContainers=[SIDECAR]), LARGE, "initContainers")
    assert errors == []
    assert new["spec"]["initContainers"][0]["resources"] == LARGE


CPU_ONLY = {"requests": {"cpu": "150m"}, "limits": {"cpu": "300m"}}
DISK = {**SMALL, "requests": {**SMALL["requests"], "ephemeral-storage": "1Mi"}}
EQUAL = {name: {"cpu": "1", "memory": "1Mi"} for name in ("requests", "limits")}


@pytest.mark.parametrize(
    ("resources", "errors"),
    [
        (
            CPU_ONLY,
            [
                "spec.containers[0].resources.requests: Forbidden: resource requests cannot be "
                "removed"
            ],
        ),
        (
            {"requests": {"cpu": "100m", "memory": "1Mi"}},
            ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"],
        ),
        (
            EQUAL,
            [
                'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of '
                "resizing"
            ],
        ),
    ],
)
def test_refused_resources(resources: Object, errors: list[str]) -> None:
    assert resized(pod(), resources)[1] == errors


def test_other_resources_do_not_change() -> None:
    first, second = resized(pod(), DISK)[1]
    assert first == "spec: Forbidden: only cpu and memory resources are mutable"
    assert second.startswith(f"{first}\n@@ -17,6 +17,7 @@\n")
    assert '\n+     "ephemeral-storage": "1Mi",\n' in second
    sidecar = resized(pod(initContainers=[SIDECAR]), DISK, "initContainers")[1]
    assert sidecar[0] == (
        "spec: Forbidden: only cpu and memory resources for sidecar containers are mutable"
    )
    init = resized(pod(initContainers=[INIT]), LARGE, "initContainers")[1]
    assert init[0] == "spec: Forbidden: resources for non-sidecar init containers are immutable"


def test_containers_stay_the_same() -> None:
    extra = {"name": "e", "image": "i:1"}
    container = pod()["spec"]["containers"][0]
    errors = written(pod(), "resize", containers=[container, extra])[1]
    assert "spec: Forbidden: containers may not be added or removed on resize" in errors
    errors = written(pod(), "resize", initContainers=[SIDECAR])[1]
    assert "spec: Forbidden: initContainers may not be added or removed on resize" in errors
    errors = written(pod(), "resize", containers=[{**container, "name": "x"}])[1]
    assert errors == [
        "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"
    ]


def test_pods_that_cannot_be_resized() -> None:
    running = [{"name": "c", "state": {"running": {"startedAt": NOW}}}]
    errors = resized(pod(status={"containerStatuses": running}), LARGE)[1]
    assert errors == ["spec: Forbidden: Pod running on node without support for resize"]
    reported = [{**running[0], "resources": SMALL}]
    assert resized(pod(status={"containerStatuses": reported}), LARGE)[1] == []
    windows = pod(os={"name": "windows"})
    assert resized(windows, LARGE)[1] == ["[]: Forbidden: windows pods cannot be resized"]
    whole = pod(resources={"requests": {"cpu": "2"}})
    (error,) = resized(whole, LARGE)[1]
    assert error.startswith("[]: Forbidden: resize of pods with pod-level resources is forbidden")
