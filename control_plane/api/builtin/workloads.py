"""The rows of what runs pods: apps, batch, autoscaling."""

from __future__ import annotations

from control_plane.api.resource import SCALE, STATUS, Resource

CONTROLLERREVISIONS = Resource("apps", "v1", "ControllerRevision", "controllerrevisions", True)
DAEMONSETS = Resource(
    "apps", "v1", "DaemonSet", "daemonsets", True, ("ds",), ("all",), subresources=(STATUS,)
)
DEPLOYMENTS = Resource(
    "apps", "v1", "Deployment", "deployments", True, ("deploy",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip
REPLICASETS = Resource(
    "apps", "v1", "ReplicaSet", "replicasets", True, ("rs",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip

STATEFULSETS = Resource(
    "apps", "v1", "StatefulSet", "statefulsets", True, ("sts",), ("all",),
    subresources=(SCALE, STATUS),
)  # fmt: skip
CRONJOBS = Resource(
    "batch", "v1", "CronJob", "cronjobs", True, ("cj",), ("all",), subresources=(STATUS,)
)
JOBS = Resource("batch", "v1", "Job", "jobs", True, (), ("all",), subresources=(STATUS,))
HORIZONTALPODAUTOSCALERS = Resource(
    "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, ("hpa",),
    ("all",), subresources=(STATUS,),
)  # fmt: skip
HORIZONTALPODAUTOSCALERS_V1 = Resource(
    "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, ("hpa",),
    ("all",), subresources=(STATUS,), stored_as=("autoscaling", "v2", "HorizontalPodAutoscaler"),
)  # fmt: skip

ROWS = (
    CONTROLLERREVISIONS,
    DAEMONSETS,
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
    CRONJOBS,
    JOBS,
    HORIZONTALPODAUTOSCALERS,
    HORIZONTALPODAUTOSCALERS_V1,
)
