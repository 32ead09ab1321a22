"""Objects, configurations and shorthands for the tests of server-side apply."""

from typing import Any

from control_plane.api.apply import Applier, Endpoint, apply, endpoint_of, track
from control_plane.api.apply.field_set import paths
from control_plane.api.defaults import apply_defaults
from control_plane.api.objects import Object, deep_copy
from control_plane.api.resources import CONFIGMAPS, DEPLOYMENTS, PODS, SERVICES, Resource

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:04:06Z"
RESOURCES = {"ConfigMap": CONFIGMAPS, "Deployment": DEPLOYMENTS, "Pod": PODS, "Service": SERVICES}


def resource_of(obj: Object) -> Resource:
    return RESOURCES[obj["kind"]]


def config_map(**data: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def deployment(**spec: Any) -> Object:
    labels = {"app": "web"}
    container = {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def service(*ports: Object) -> Object:
    spec: Object = {"selector": {"app": "web"}}
    if ports:
        spec["ports"] = list(ports)
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}


def defaulted(obj: Object) -> Object:
    """The object as the server holds it."""
    result = deep_copy(obj)
    apply_defaults(resource_of(obj), result)
    return result


def stored(obj: Object) -> Object:
    """The object with a uid, as it is once it has been written."""
    result = deep_copy(obj)
    result["metadata"]["uid"] = "1"
    return result


def created(obj: Object, manager: str = "creator", now: str = NOW) -> Object:
    """The object after its POST."""
    result = defaulted(obj)
    assert track(endpoint_of(resource_of(obj)), {}, result, manager, now)
    return stored(result)


def changed(live: Object, new: Object, manager: str, now: str = LATER, sub: str = "") -> Object:
    """`new` after a PUT by `manager`; it need not have managedFields."""
    result = stored(new)
    assert track(endpoint_of(resource_of(live), sub), live, result, manager, now)
    return result


def applied(
    live: Object, config: Object, manager: str, *, force: bool = False, now: str = LATER,
    endpoint: Endpoint | None = None,
) -> Object:  # fmt: skip
    """`live` ({} for none) after an apply."""
    where = endpoint or endpoint_of(resource_of(config))
    result = apply(where, live, config, Applier(manager, force, now))
    apply_defaults(resource_of(config), result)
    return stored(result)


def entries(obj: Object) -> list[Object]:
    found: list[Object] = obj["metadata"].get("managedFields", [])
    return found


def owned(obj: Object, manager: str, operation: str = "") -> list[str]:
    """What a manager owns, as messages print it; [] when it has no entry."""
    for entry in entries(obj):
        if entry["manager"] == manager and operation in ("", entry["operation"]):
            return list(paths(entry["fieldsV1"]))
    return []
