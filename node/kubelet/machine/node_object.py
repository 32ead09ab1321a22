"""The Node object and its status. Pure.

Called by machine/node_reporter.py. Source: kubelet initialNode, nodestatus; k8s conditions'
reasons and messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.machine.facts import MachineFacts, allocatable, capacity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from control_plane.api.objects import Object
    from node.kubelet.runtimes.base import ImageRecord

RUNTIME_ANNOTATION = "tapir.dev/container-runtime"
_ATTACH_ANNOTATION = "volumes.kubernetes.io/controller-managed-attach-detach"
_IMAGES, _NAMES = 50, 5
_HEALTHY = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


def node_labels(name: str, facts: MachineFacts, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the labels every start puts back."""
    architecture = facts.info["architecture"]
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
        **extra,
    }


def node_annotations(runtime: str) -> dict[str, str]:
    """Return the annotations; one says which runtime, so that a simulated node is not mistaken."""
    return {_ATTACH_ANNOTATION: "true", RUNTIME_ANNOTATION: runtime}


def new_node(name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Object:
    """Return the object to register."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": dict(labels), "annotations": dict(annotations)},
        "spec": {},
    }


def node_status(
    name: str, facts: MachineFacts, *, port: int, max_pods: int, runtime_version: str
) -> Object:
    """Return the status without conditions and images."""
    return {
        "capacity": capacity(facts, max_pods),
        "allocatable": allocatable(facts, max_pods),
        "addresses": [
            *({"type": "InternalIP", "address": ip} for ip in facts.addresses),
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": {**facts.info, "containerRuntimeVersion": runtime_version},
    }


def node_conditions(before: Sequence[Object], problem: str, now: str) -> list[Object]:
    """Return the four conditions; `problem` "" means Ready. Times of unchanged ones are kept."""
    known = {condition["type"]: condition for condition in before}
    wanted = [(kind, "False", reason, message) for kind, reason, message in _HEALTHY]
    if problem:
        wanted.append(("Ready", "False", "KubeletNotReady", problem))
    else:
        wanted.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    return [_condition(known.get(row[0]), row, now) for row in wanted]


def node_images(images: Sequence[ImageRecord]) -> list[Object]:
    """Return the 50 largest images, each with at most 5 names."""
    largest = sorted(images, key=lambda image: image.size_bytes, reverse=True)
    listed = [
        {"names": [*image.digests, *image.tags][:_NAMES], "sizeBytes": image.size_bytes}
        for image in largest
        if image.digests or image.tags
    ]
    return listed[:_IMAGES]


def lease_object(name: str, uid: str, seconds: int, now: str) -> Object:
    """Return the Lease by which a node shows that it is alive."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-node-lease",
            "ownerReferences": [owner],
        },
        "spec": {"holderIdentity": name, "leaseDurationSeconds": seconds, "renewTime": now},
    }


def _condition(before: Object | None, row: tuple[str, str, str, str], now: str) -> Object:
    kind, status, reason, message = row
    same = before is not None and before.get("status") == status
    since = before.get("lastTransitionTime") if same and before else None
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": since or now,
        "reason": reason,
        "message": message,
    }
