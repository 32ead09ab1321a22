"""Short ways to write the pods and records that the tests are about."""

from typing import Any

from node.kubelet.pod_actions import HASH_ANNOTATION
from node.kubelet.pod_spec import container_hash
from node.kubelet.runtimes.base import ContainerRecord, PodIdentity, PodRecord, SandboxRecord

Object = dict[str, Any]
UID = "0c1f4f6e-0000-4000-8000-000000000001"
IDENTITY = PodIdentity("default", "web", UID)


def container(name: str = "main", **fields: Any) -> Object:
    return {"name": name, "image": "tapir-test/busybox:1", **fields}


def pod(*containers: Object, name: str = "web", **spec: Any) -> Object:
    """A pod bound to this node; `status` and `metadata` among the keywords are the pod's own."""
    metadata = {"name": name, "namespace": "default", "uid": UID, "generation": 1}
    metadata |= spec.pop("metadata", {})
    status = spec.pop("status", {"phase": "Pending"})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": list(containers) or [container()], "nodeName": "node-1", **spec},
        "status": status,
    }


def running(name: str = "main", attempt: int = 0, **fields: Any) -> ContainerRecord:
    return ContainerRecord(
        f"{name}-{attempt}",
        name,
        attempt,
        "running",
        started_at="2026-01-02T03:04:05.678Z",
        annotations={HASH_ANNOTATION: container_hash(container(name))},
        **fields,
    )


def exited(name: str = "main", code: int = 0, attempt: int = 0, **fields: Any) -> ContainerRecord:
    return ContainerRecord(
        f"{name}-{attempt}",
        name,
        attempt,
        "exited",
        started_at="2026-01-02T03:04:05.678Z",
        finished_at="2026-01-02T03:05:05.678Z",
        exit_code=code,
        reason="Error" if code else "Completed",
        **fields,
    )


def sandbox(attempt: int = 0, *, alive: bool = True, **fields: Any) -> SandboxRecord:
    return SandboxRecord(
        f"sandbox-{attempt}", attempt, alive, ip="10.88.0.2" if alive else "", **fields
    )


def record(*containers: ContainerRecord, alive: bool = True) -> PodRecord:
    """Everything in one sandbox, newest first as runtimes report it."""
    newest_first = sorted(containers, key=lambda c: c.attempt, reverse=True)
    return PodRecord(IDENTITY, [sandbox(alive=alive)], newest_first)


def nothing() -> PodRecord:
    return PodRecord(IDENTITY)
