"""Objects that tests create."""

from typing import Any

from control_plane.api.objects import Object


def pod_template(labels: dict[str, str], image: str = "app:1") -> Object:
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "app", "image": image}]},
    }


def deployment(
    namespace: str, replicas: int = 3, image: str = "app:1", name: str = "web", **spec: Any
) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": pod_template(labels, image),
            **spec,
        },
    }


def replicaset(namespace: str, replicas: int = 2, name: str = "rs", **spec: Any) -> Object:
    made = deployment(namespace, replicas, name=name, **spec)
    return made | {"kind": "ReplicaSet"}


def replicationcontroller(namespace: str, replicas: int = 2, name: str = "rc") -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": labels, "template": pod_template(labels)},
    }


def pod(namespace: str, name: str, labels: dict[str, str] | None = None, **meta: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": labels or {}, **meta},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    }


def suspended_job(namespace: str, name: str) -> Object:
    """A Job whose pods nobody makes."""
    template = pod_template({})
    template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"suspend": True, "template": template},
    }


def service(namespace: str, name: str = "web", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": namespace, "name": name, "labels": {"team": "a"}},
        "spec": {
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
            **spec,
        },
    }
