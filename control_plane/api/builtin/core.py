"""The rows of the core group."""

from __future__ import annotations

from control_plane.api.resource import (
    CREATE_ONLY,
    PROXY,
    SCALE,
    STATUS,
    WITHOUT_DELETECOLLECTION,
    Resource,
    Subresource,
)

BINDINGS = Resource("", "v1", "Binding", "bindings", True, verbs=CREATE_ONLY, storage="")
COMPONENTSTATUSES = Resource(
    "", "v1", "ComponentStatus", "componentstatuses", False, ("cs",), verbs=("get", "list"),
    storage="",
)  # fmt: skip
NAMESPACES = Resource(
    "", "v1", "Namespace", "namespaces", False, ("ns",), verbs=WITHOUT_DELETECOLLECTION,
    subresources=(Subresource("finalize", verbs=("update",)), STATUS),
)  # fmt: skip
NODES = Resource(
    "", "v1", "Node", "nodes", False, ("no",),
    subresources=(Subresource("proxy", "NodeProxyOptions", PROXY), STATUS), storage="minions",
)  # fmt: skip
PODS = Resource(
    "", "v1", "Pod", "pods", True, ("po",), ("all",),
    subresources=(
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("binding", "Binding", CREATE_ONLY),
        Subresource("ephemeralcontainers"),
        Subresource("eviction", "Eviction", CREATE_ONLY, "policy", "v1"),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("log", verbs=("get",)),
        Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
        Subresource("proxy", "PodProxyOptions", PROXY),
        Subresource("resize"),
        STATUS,
    ),
)  # fmt: skip
SERVICES = Resource(
    "", "v1", "Service", "services", True, ("svc",), ("all",),
    subresources=(Subresource("proxy", "ServiceProxyOptions", PROXY), STATUS),
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
    BINDINGS,
    COMPONENTSTATUSES,
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
