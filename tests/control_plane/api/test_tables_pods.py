"""The Pod table shows what kubectl get shows upstream."""

from datetime import UTC, datetime
from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.api.resources import PODS
from control_plane.api.tables import view_for
from control_plane.api.tables.build import row, table

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
VIEW = view_for(PODS)
RUNNING = {"ready": True, "state": {"running": {"startedAt": "2026-01-01T11:00:00Z"}}}
READY = {"type": "Ready", "status": "True"}


def pod(status: Object, **spec: Any) -> Object:
    return {
        "metadata": {"name": "web", "creationTimestamp": "2026-01-01T10:55:00Z"},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}], **spec},
        "status": status,
    }


def shown(obj: Object) -> tuple[str, str, str]:
    cells = dict(zip([c.name for c in VIEW.columns], VIEW.cells(obj, NOW), strict=True))
    return cells["Ready"], cells["Status"], cells["Restarts"]


def waiting(reason: str) -> Object:
    return {"state": {"waiting": {"reason": reason}}}


def ended(code: int, **more: Any) -> Object:
    return {"state": {"terminated": {"exitCode": code, **more}}}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Pending"}, ("0/2", "Pending", "0")),
        ({"phase": "Failed", "reason": "Evicted"}, ("0/2", "Evicted", "0")),
        ({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]},
         ("0/2", "SchedulingGated", "0")),
        ({"phase": "Running", "containerStatuses": [RUNNING, RUNNING]}, ("2/2", "Running", "0")),
        ({"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff"), RUNNING]},
         ("1/2", "ImagePullBackOff", "0")),
        ({"phase": "Running", "containerStatuses": [ended(2, reason="Error"), RUNNING]},
         ("1/2", "Error", "0")),
        ({"phase": "Running", "containerStatuses": [ended(0, signal=9), RUNNING]},
         ("1/2", "Signal:9", "0")),
        ({"phase": "Running", "containerStatuses": [ended(7), RUNNING]},
         ("1/2", "ExitCode:7", "0")),
        ({"phase": "Running", "conditions": [READY],
          "containerStatuses": [ended(0, reason="Completed"), RUNNING]}, ("1/2", "Running", "0")),
        ({"phase": "Running", "containerStatuses": [ended(0, reason="Completed"), RUNNING]},
         ("1/2", "NotReady", "0")),
        ({"phase": "Running",
          "containerStatuses": [ended(0, reason="Completed"), ended(1, reason="Error")]},
         ("0/2", "Error", "0")),
        ({"phase": "Succeeded", "containerStatuses": [ended(0, reason="Completed")] * 2},
         ("0/2", "Completed", "0")),
    ],
)  # fmt: skip
def test_status_of_containers(status: Object, expected: tuple[str, str, str]) -> None:
    assert shown(pod(status)) == expected


@pytest.mark.parametrize(
    ("init_status", "expected"),
    [
        ([waiting("PodInitializing")], "Init:0/2"),
        ([waiting("ErrImagePull")], "Init:ErrImagePull"),
        ([ended(0), {"state": {"running": {}}}], "Init:1/2"),
        ([ended(1, reason="Error")], "Init:Error"),
        ([ended(3)], "Init:ExitCode:3"),
        ([ended(1, signal=15)], "Init:Signal:15"),
    ],
)
def test_status_while_initializing(init_status: list[Object], expected: str) -> None:
    obj = pod(
        {"phase": "Pending", "initContainerStatuses": init_status},
        initContainers=[{"name": "i"}, {"name": "j"}],
    )
    assert shown(obj)[1] == expected


def test_sidecars_count_as_containers() -> None:
    sidecar = {"name": "s", "ready": True, "started": True, "restartCount": 3}
    obj = pod(
        {
            "phase": "Running",
            "initContainerStatuses": [sidecar],
            "containerStatuses": [RUNNING, RUNNING],
        },
        initContainers=[{"name": "s", "restartPolicy": "Always"}],
    )
    assert shown(obj) == ("3/3", "Running", "3")


def test_restarts_tell_when_the_last_container_ended() -> None:
    crashed = {
        "restartCount": 2,
        "lastState": {"terminated": {"finishedAt": "2026-01-01T11:50:00Z"}},
        **waiting("CrashLoopBackOff"),
    }
    obj = pod({"phase": "Running", "containerStatuses": [crashed, RUNNING]})
    assert shown(obj) == ("1/2", "CrashLoopBackOff", "2 (10m ago)")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
        ({"phase": "Succeeded"}, "Succeeded"),
    ],
)
def test_a_pod_on_its_way_out(status: Object, expected: str) -> None:
    obj = pod(status)
    obj["metadata"]["deletionTimestamp"] = "2026-01-01T11:59:00Z"
    assert shown(obj)[1] == expected


def test_wide_cells() -> None:
    gates = [{"conditionType": "Ready"}, {"conditionType": "lb"}]
    status = {
        "phase": "Running", "podIPs": [{"ip": "10.0.0.9"}], "nominatedNodeName": "n2",
        "conditions": [READY],
    }  # fmt: skip
    full = VIEW.cells(pod(status, nodeName="n1", readinessGates=gates), NOW)
    assert full[4:] == ["65m", "10.0.0.9", "n1", "n2", "1/2"]
    assert VIEW.cells(pod({}), NOW)[5:] == ["<none>"] * 4


def test_rows_of_finished_pods_are_marked() -> None:
    assert row(VIEW, pod({"phase": "Succeeded"}), NOW)["conditions"] == [
        {
            "type": "Completed",
            "status": "True",
            "reason": "Succeeded",
            "message": "The pod has completed successfully.",
        }
    ]
    assert "conditions" not in row(VIEW, pod({"phase": "Running"}), NOW)


def test_what_a_row_says_of_its_object() -> None:
    obj = pod({"phase": "Running"})
    assert row(VIEW, obj, NOW)["object"] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": obj["metadata"],
    }
    assert row(VIEW, obj, NOW, "Object")["object"] is obj
    assert row(VIEW, obj, NOW, "None")["object"] is None


def test_the_table_around_the_rows() -> None:
    made = table(VIEW, [pod({})], NOW, metadata={"resourceVersion": "7"})
    assert (made["kind"], made["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert made["metadata"] == {"resourceVersion": "7"}
    assert len(made["rows"][0]["cells"]) == len(made["columnDefinitions"])
    name = made["columnDefinitions"][0]
    assert (name["name"], name["type"], name["format"], name["priority"]) == (
        "Name", "string", "name", 0,
    )  # fmt: skip
    assert name["description"].startswith("Name must be unique within a namespace.")
