"""Short ways to write pods and nodes in the scheduler's tests."""

from typing import Any

from control_plane.api.objects import Object
from control_plane.scheduler.framework.node_info import NodeInfo
from control_plane.scheduler.framework.pod_info import PodInfo


def container(name: str = "main", **fields: Any) -> Object:
    requests = fields.pop("requests", None)
    resources = {"resources": {"requests": requests}} if requests else {}
    return {"name": name, "image": "busybox", **resources, **fields}


def pod(name: str = "web", *, requests: dict[str, str] | None = None, **spec: Any) -> Object:
    spec.setdefault("containers", [container(requests=requests)])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {"schedulerName": "default-scheduler", **spec},
        "status": {"phase": "Pending"},
    }


def pod_info(name: str = "web", **fields: Any) -> PodInfo:
    return PodInfo.of(pod(name, **fields))


def node(
    name: str = "node-1",
    *,
    labels: dict[str, str] | None = None,
    allocatable: dict[str, str] | None = None,
    images: dict[str, int] | None = None,
    **spec: Any,
) -> Object:
    resources = {"cpu": "4", "memory": "8Gi", "pods": "110", **(allocatable or {})}
    listed = [{"names": [image], "sizeBytes": size} for image, size in (images or {}).items()]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels or {}},
        "spec": spec,
        "status": {"allocatable": resources, "images": listed},
    }


def node_info(name: str = "node-1", *pods: PodInfo, **fields: Any) -> NodeInfo:
    info = NodeInfo.of(node(name, **fields))
    for each in pods:
        info = info.with_pod(each)
    return info


def taint(key: str, effect: str = "NoSchedule", value: str = "") -> dict[str, str]:
    return {"key": key, "effect": effect, **({"value": value} if value else {})}


def node_affinity(
    *required: Object, preferred: list[tuple[int, Object]] | None = None
) -> dict[str, Any]:
    affinity: Object = {}
    if required:
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "nodeSelectorTerms": list(required)
        }
    if preferred:
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": weight, "preference": term} for weight, term in preferred
        ]
    return {"nodeAffinity": affinity}


def expressions(*requirements: tuple[str, str, list[str]]) -> Object:
    return {
        "matchExpressions": [
            {"key": key, "operator": operator, "values": values}
            for key, operator, values in requirements
        ]
    }


def named(*names: str) -> Object:
    return {"matchFields": [{"key": "metadata.name", "operator": "In", "values": list(names)}]}
