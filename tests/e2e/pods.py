"""Objects that the end-to-end tests create, and what they read back of them."""

from typing import Any

from tests.support.cluster import Cluster

Object = dict[str, Any]

# Says that it runs, and ends at once on SIGTERM, which a bare `sleep` as process 1 would ignore.
SERVE = ("sh", "-c", "trap 'exit 0' TERM; echo serving; while :; do sleep 1 & wait $!; done")


def container(image: str, **more: Any) -> Object:
    """A container that serves until it is told to stop, changed by `more`."""
    return {"name": "main", "image": image, "command": list(SERVE), **more}


def pod(name: str, *containers: Object, **spec: Any) -> Object:
    """A pod of these containers."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": list(containers), **spec},
    }


def deployment(name: str, image: str, replicas: int = 1) -> Object:
    """A deployment of serving pods."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container(image)]},
            },
        },
    }


def pods_of(cluster: Cluster, namespace: str) -> list[Object]:
    """The namespace's pods that are not on their way out."""
    items: list[Object] = cluster.get("pods", "-n", namespace)["items"]
    return [item for item in items if "deletionTimestamp" not in item["metadata"]]


def container_ids(pods: list[Object]) -> set[str]:
    """The engine's ids of all running containers of these pods."""
    return {
        status["containerID"].removeprefix("docker://")
        for item in pods
        for status in item["status"]["containerStatuses"]
    }
