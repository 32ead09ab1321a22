"""The rows of the core group."""

from __future__ import annotations

from control_plane.api.resource import (
    CREATE_ONLY,
    SCALE,
    STATUS,
    WITHOUT_DELETECOLLECTION,
    Resource,
    Subresource,
)

NAMESPACES = Resource(
    "", "v1", "Namespace", "namespaces", False, ("ns",), verbs=WITHOUT_DELETECOLLECTION,
    subresources=(Subresource("finalize", verbs=("update",)), STATUS),
)  # fmt: skip
NODES = Resource(
    "", "v1", "Node", "nodes", False, ("no",), subresources=(STATUS,), storage="minions"
)
PODS = Resource(
    "", "v1", "Pod", "pods", True, ("po",), ("all",),
    subresources=(
        Subresource("binding", "Binding", CREATE_ONLY),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", verbs=("get",)),
        STATUS,
    ),
)  # fmt: skip
SERVICES = Resource(
    "", "v1", "Service", "services", True, ("svc",), ("all",), subresources=(STATUS,),
    storage="services/specs",
)  # fmt: skip
ENDPOINTS = Resource(
    "", "v1", "Endpoints", "endpoints", True, ("ep",), storage="services/endpoints"
)
EVENTS = Resource("", "v1", "Event", "events", True, ("ev",))
CONFIGMAPS = Resource("", "v1", "ConfigMap", "configmaps", True, ("cm",))
SECRETS = Resource("", "v1", "Secret", "secrets", True)
SERVICEACCOUNTS = Resource(
    "", "v1", "ServiceAccount", "serviceaccounts", True, ("sa",),
    subresources=(
        Subresource("token", "TokenRequest", CREATE_ONLY, "authentication.k8s.io", "v1"),
    ),
)  # fmt: skip
REPLICATIONCONTROLLERS = Resource(
    "", "v1", "ReplicationController", "replicationcontrollers", True, ("rc",), ("all",),
    subresources=(SCALE, STATUS), storage="controllers",
)  # fmt: skip
PERSISTENTVOLUMES = Resource(
    "", "v1", "PersistentVolume", "persistentvolumes", False, ("pv",), subresources=(STATUS,)
)
PERSISTENTVOLUMECLAIMS = Resource(
    "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, ("pvc",),
    subresources=(STATUS,),
)  # fmt: skip
LIMITRANGES = Resource("", "v1", "LimitRange", "limitranges", True, ("limits",))
PODTEMPLATES = Resource("", "v1", "PodTemplate", "podtemplates", True)
RESOURCEQUOTAS = Resource(
    "", "v1", "ResourceQuota", "resourcequotas", True, ("quota",), subresources=(STATUS,)
)

ROWS = (
    LIMITRANGES,
    PODTEMPLATES,
    RESOURCEQUOTAS,
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    REPLICATIONCONTROLLERS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
)
