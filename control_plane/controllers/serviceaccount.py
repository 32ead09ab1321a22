"""The serviceaccount controller: every active namespace has the ServiceAccount `default`.

Source: kubernetes pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from collections.abc import Iterable

from control_plane.api.errors import AlreadyExists
from control_plane.api.objects import Object, dig, is_terminating, name_of, namespace_of
from control_plane.api.resources import NAMESPACES, SERVICEACCOUNTS
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, For, Watches

DEFAULT = "default"


def serviceaccount(config: ControllersConfig) -> Controller:
    """Return the controller of default service accounts."""
    del config
    return Controller(
        "serviceaccount-controller",
        "serviceaccount-controller",
        reconcile,
        sources=(For(NAMESPACES), Watches(SERVICEACCOUNTS, namespace_of_deleted)),
        workers=1,
    )


def namespace_of_deleted(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the namespace that lost its default account with this change."""
    del cluster
    if change.event == "delete" and name_of(change.latest) == DEFAULT:
        yield namespace_of(change.latest)


def is_active_namespace(namespace: Object) -> bool:
    """Whether things can be created in it."""
    phase = dig(namespace, "status", "phase", default="Active")
    return bool(phase == "Active") and not is_terminating(namespace)


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Create the account of namespace `key` if it is missing."""
    namespace = cluster.get(NAMESPACES, key)
    if namespace is None or not is_active_namespace(namespace):
        return DONE
    if cluster.get(SERVICEACCOUNTS, f"{key}/{DEFAULT}") is not None:
        return DONE
    account = {
        "apiVersion": SERVICEACCOUNTS.api_version,
        "kind": SERVICEACCOUNTS.kind,
        "metadata": {"name": DEFAULT, "namespace": key},
    }
    try:
        await cluster.client.create(SERVICEACCOUNTS, account)
    except AlreadyExists:
        return DONE
    return DONE
