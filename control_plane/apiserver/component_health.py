"""How the cluster's components are, as ComponentStatus tells: the scheduler, the controllers, the
store.

A scheduler and controllers are well while their leader renews its lease; nothing is said of those
that elect none, as in `tapir up`. Every server of the store is asked. Source: the ComponentStatus
registry of Kubernetes v1.35.
"""

import datetime
from collections.abc import Callable

from control_plane.api.objects import Object, dig
from control_plane.api.resources import COMPONENTSTATUSES, LEASES
from control_plane.api.timestamps import parse
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.storage.collections import Collections

STORE_SECONDS = 2.0
NAMESPACE = "kube-system"
DEFAULT_LEASE_SECONDS = 15
_LEASES = {"controller-manager": "kube-controller-manager", "scheduler": "kube-scheduler"}


class ComponentHealth:
    """Asks after the components, each time anew."""

    def __init__(
        self,
        etcd: EtcdClient,
        root: str,
        collections: Collections,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        """`root` is the store's key prefix, such as "/registry"; `clock` is in UTC."""
        self._etcd = etcd
        self._key = f"{root}/health".encode()
        self._collections = collections
        self._clock = clock

    async def all(self) -> list[Object]:
        """A ComponentStatus for each component, by name."""
        problems = await self._etcd.problems(self._key, STORE_SECONDS)
        found: dict[str, str | None] = {
            f"etcd-{index}": problem for index, problem in enumerate(problems)
        }
        found |= {name: self._lease_problem(lease) for name, lease in _LEASES.items()}
        return [component_status(name, problem) for name, problem in sorted(found.items())]

    def _lease_problem(self, name: str) -> str | None:
        """What is wrong, "" for nothing; None without a lease."""
        lease = self._collections.cached(LEASES, NAMESPACE, name)
        if lease is None:
            return None
        holder = dig(lease, "spec", "holderIdentity", default="")
        renewed = dig(lease, "spec", "renewTime", default="")
        if not holder or not renewed:
            return f"nobody holds the lease {NAMESPACE}/{name}"
        seconds = dig(lease, "spec", "leaseDurationSeconds", default=DEFAULT_LEASE_SECONDS)
        if parse(renewed) + datetime.timedelta(seconds=seconds) < self._clock():
            return f"{holder} has not renewed the lease {NAMESPACE}/{name} since {renewed}"
        return ""


def component_status(name: str, problem: str | None) -> Object:
    """The ComponentStatus of a component with that problem, "" for none, None for who knows."""
    status: Object = {
        "kind": COMPONENTSTATUSES.kind,
        "apiVersion": COMPONENTSTATUSES.api_version,
        "metadata": {"name": name},
    }
    if problem is None:
        return status
    condition = {
        "type": "Healthy",
        "status": "False" if problem else "True",
        "message": problem or "ok",
    }
    return {**status, "conditions": [condition]}
