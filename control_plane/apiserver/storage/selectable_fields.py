"""Which fields a field selector may name, per resource, and their values in an object.

Every resource has metadata.name and, when namespaced, metadata.namespace; the table has the rest.
Values are strings as a selector compares them: booleans `true`/`false`, absent as the empty string.
Source: the conversion functions of Kubernetes v1.35.
"""

from collections.abc import Callable, Mapping

from control_plane.api.objects import Object, dig
from control_plane.api.resources import Resource

Getter = Callable[[Object], str]


def _path(*path: str) -> Getter:
    def get(obj: Object) -> str:
        return _text(dig(obj, *path, default=""))

    return get


def _flag(*path: str) -> Getter:
    def get(obj: Object) -> str:
        return "true" if dig(obj, *path, default=False) is True else "false"

    return get


def _count(*path: str) -> Getter:
    def get(obj: Object) -> str:
        return str(dig(obj, *path, default=0))

    return get


def _event_source(obj: Object) -> str:
    return _text(dig(obj, "source", "component", default="")) or _text(
        obj.get("reportingComponent", "")
    )


def _pod_ips(obj: Object) -> str:
    addresses = dig(obj, "status", "podIPs", default=None) or []
    return ",".join(str(address.get("ip", "")) for address in addresses)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")

SELECTABLE_FIELDS: Mapping[tuple[str, str], Mapping[str, Getter]] = {
    ("", "pods"): {
        "spec.nodeName": _path("spec", "nodeName"),
        "spec.restartPolicy": _path("spec", "restartPolicy"),
        "spec.schedulerName": _path("spec", "schedulerName"),
        "spec.serviceAccountName": _path("spec", "serviceAccountName"),
        "spec.hostNetwork": _flag("spec", "hostNetwork"),
        "status.phase": _path("status", "phase"),
        "status.podIP": _path("status", "podIP"),
        "status.podIPs": _pod_ips,
        "status.nominatedNodeName": _path("status", "nominatedNodeName"),
    },
    ("", "nodes"): {"spec.unschedulable": _flag("spec", "unschedulable")},
    ("", "namespaces"): {"status.phase": _path("status", "phase")},
    ("", "secrets"): {"type": _path("type")},
    ("", "services"): {
        "spec.clusterIP": _path("spec", "clusterIP"),
        "spec.type": _path("spec", "type"),
    },
    ("", "replicationcontrollers"): {"status.replicas": _count("status", "replicas")},
    ("apps", "replicasets"): {"status.replicas": _count("status", "replicas")},
    ("batch", "jobs"): {"status.successful": _count("status", "succeeded")},
    ("", "events"): {
        **{f"involvedObject.{part}": _path("involvedObject", part) for part in _INVOLVED},
        "reason": _path("reason"),
        "reportingComponent": _path("reportingComponent"),
        "source": _event_source,
        "type": _path("type"),
    },
    ("events.k8s.io", "events"): {
        **{f"regarding.{part}": _path("regarding", part) for part in _INVOLVED},
        "reason": _path("reason"),
        "reportingController": _path("reportingController"),
        "type": _path("type"),
    },
    ("certificates.k8s.io", "certificatesigningrequests"): {
        "spec.signerName": _path("spec", "signerName")
    },
    ("resource.k8s.io", "resourceslices"): {
        "spec.nodeName": _path("spec", "nodeName"),
        "spec.driver": _path("spec", "driver"),
    },
}

# Old names that upstream still takes.
RENAMED: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("", "pods"): {"spec.host": "spec.nodeName"}
}


# What the stored version calls the fields of a version that is served from the same cache.
STORED_NAMES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("events.k8s.io", "events"): {
        **{f"regarding.{part}": f"involvedObject.{part}" for part in _INVOLVED},
        "reportingController": "reportingComponent",
    },
}


def selectable_fields(resource: Resource) -> Mapping[str, Getter]:
    """The extra selectable fields of a resource."""
    if resource.custom is not None:
        return resource.custom.fields
    return SELECTABLE_FIELDS.get((resource.group, resource.plural), {})
