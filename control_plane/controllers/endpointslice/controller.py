"""The endpointslice controller: writes the EndpointSlices of every service with a selector.

Slices have generated names, so a second pass over an old cache would make them twice. The
controller remembers what it wrote and does nothing for a service until its cache shows that.
Source: kubernetes pkg/controller/endpointslice/endpointslice_controller.go.
"""

from collections.abc import Iterable

from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import (
    Object,
    is_terminating,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    resource_version_of,
)
from control_plane.api.resources import ENDPOINTSLICES, NODES, PODS, SERVICES
from control_plane.client.clock import Clock
from control_plane.controllers.cluster import Cluster, ReconcileError
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.endpoints.backing_pods import (
    HEADLESS,
    families_of,
    is_headless,
    pods_of,
    selects_pods,
    services_concerned,
)
from control_plane.controllers.endpoints.trigger_time import ANNOTATION, TriggerTimes
from control_plane.controllers.endpointslice.endpoint import grouped_endpoints
from control_plane.controllers.endpointslice.packing import (
    SlicePlan,
    plan_family,
    with_annotation,
)
from control_plane.controllers.ownership import owner_reference
from control_plane.controllers.runtime import (
    DONE,
    Controller,
    Index,
    Result,
    is_namespace_terminating,
)
from control_plane.controllers.sources import Change, For, Watches

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
SERVICE_INDEX = "managed-for-service"
STALE_SECONDS = 30.0  # after which a write that never showed is given up
STALE_RETRY_SECONDS = 1.0
_RESERVED = (SERVICE_NAME, MANAGED_BY, HEADLESS)


def endpointslice(config: ControllersConfig) -> Controller:
    """Return the controller of EndpointSlices."""
    return Controller(
        "endpointslice-controller",
        "endpoint-slice-controller",
        EndpointSliceController(config.max_endpoints_per_slice).reconcile,
        sources=(
            For(SERVICES),
            Watches(PODS, services_concerned, config.endpointslice_updates_batch_period),
            Watches(ENDPOINTSLICES, service_of_slice),
            Watches(NODES, services_of_node),
        ),
        indexes=(Index(ENDPOINTSLICES, SERVICE_INDEX, managed_service),),
        workers=config.concurrent_service_endpoint_syncs,
        max_retries=15,
        backoff_seconds=(1.0, 1000.0),
    )


def managed_service(found: Object) -> tuple[str, ...]:
    """Return the key of the service whose slice this is; nothing for slices of others."""
    labels = labels_of(found)
    if labels.get(MANAGED_BY) != MANAGER or not labels.get(SERVICE_NAME):
        return ()
    return (f"{namespace_of(found)}/{labels[SERVICE_NAME]}",)


def service_of_slice(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the services whose slice this is, or was."""
    del cluster
    both = (obj for obj in (change.old, change.new) if obj is not None)
    return {key for obj in both for key in managed_service(obj)}


def services_of_node(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return every service, when a node came, went, or moved to another zone."""
    if change.old and change.new and labels_of(change.old) == labels_of(change.new):
        return []
    return [key_of(service) for service in cluster.list(SERVICES)]


class WrittenSlices:
    """The slices written for each service and not yet seen: by name their resourceVersion.

    A deleted slice is remembered with version None. Bound: what one reconciliation writes, per
    service.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self._written: dict[str, tuple[float, dict[str, int | None]]] = {}

    def note(self, key: str, name: str, version: int | None) -> None:
        """Remember a write."""
        _, names = self._written.get(key, (0.0, {}))
        names[name] = version
        self._written[key] = (self._clock.monotonic(), names)

    def is_stale(self, key: str, found: Iterable[Object]) -> bool:
        """Whether `found`, from the cache, lacks a write; what it shows is forgotten."""
        at, names = self._written.pop(key, (0.0, {}))
        seen = {name_of(one): int(resource_version_of(one)) for one in found}
        open_writes = {name: v for name, v in names.items() if not _shows(seen, name, v)}
        if not open_writes or self._clock.monotonic() - at > STALE_SECONDS:
            return False
        self._written[key] = (at, open_writes)
        return True


def _shows(seen: dict[str, int], name: str, version: int | None) -> bool:
    if version is None:
        return name not in seen
    return seen.get(name, -1) >= version


class EndpointSliceController:
    """The acting half; remembers trigger times and its own writes."""

    def __init__(self, limit: int) -> None:
        """Put at most `limit` endpoints into a slice."""
        self._limit = limit
        self._trigger_times = TriggerTimes()
        self._written: WrittenSlices | None = None

    async def reconcile(self, key: str, cluster: Cluster) -> Result:
        """Bring the slices of service `key` up to date; those of a gone service go with it."""
        self._written = self._written or WrittenSlices(cluster.clock)
        service = cluster.get(SERVICES, key)
        if service is None:
            self._trigger_times.forget(key)
            return DONE
        if not selects_pods(service):
            return DONE
        found = cluster.informer(ENDPOINTSLICES).by_index(SERVICE_INDEX, key)
        if self._written.is_stale(key, found):
            return Result(STALE_RETRY_SECONDS)
        await self._bring_up_to_date(service, found, cluster)
        return DONE

    async def _bring_up_to_date(
        self, service: Object, found: list[Object], cluster: Cluster
    ) -> None:
        pods = pods_of(cluster, service)
        trigger_time = self._trigger_times.observe(service, pods)
        plan, skipped = plan_slices(service, pods, found, cluster, self._limit)
        for obj in (*plan.create, *plan.update):
            with_annotation(obj, ANNOTATION, trigger_time)
        try:
            await self._write(service, plan, cluster)
        except ApiError as error:
            if not is_namespace_terminating(error):
                key = key_of(service)
                text = f"Error updating Endpoint Slices for Service {key}: {error.message}"
                cluster.events.record(service, "Warning", "FailedToUpdateEndpointSlices", text)
            raise
        if skipped:
            raise ReconcileError("; ".join(skipped))

    async def _write(self, service: Object, plan: SlicePlan, cluster: Cluster) -> None:
        """Update, create, delete, in this order: no endpoint is missing in between."""
        for changed in plan.update:
            self._note(service, await cluster.client.update(ENDPOINTSLICES, changed))
        for new in plan.create if not is_terminating(service) else ():
            self._note(service, await cluster.client.create(ENDPOINTSLICES, new))
        for gone in plan.delete:
            await self._delete(service, gone, cluster)

    async def _delete(self, service: Object, gone: Object, cluster: Cluster) -> None:
        try:
            await cluster.client.delete(ENDPOINTSLICES, name_of(gone), namespace_of(gone))
        except NotFound:
            return
        assert self._written is not None
        self._written.note(key_of(service), name_of(gone), None)

    def _note(self, service: Object, written: Object) -> None:
        assert self._written is not None
        version = int(resource_version_of(written))
        self._written.note(key_of(service), name_of(written), version)


def plan_slices(
    service: Object, pods: list[Object], found: list[Object], cluster: Cluster, limit: int
) -> tuple[SlicePlan, list[str]]:
    """Return the writes over all address families, and why some pods were left out."""
    nodes = {name_of(node): node for node in cluster.list(NODES)}
    plan, skipped = SlicePlan(), []
    families = families_of(service)
    for family in families:
        groups, left_out = grouped_endpoints(service, pods, nodes, family)
        present = [one for one in found if one["addressType"] == family]
        new = _SliceMaker(service, family)
        plan.add(plan_family(present, groups, new, limit))
        skipped += left_out
    plan.delete += [one for one in found if one["addressType"] not in families]
    return plan, skipped


class _SliceMaker:
    """Makes new slices of one service and address family."""

    def __init__(self, service: Object, family: str) -> None:
        self._service = service
        self._family = family

    def __call__(self, ports: Iterable[Object], endpoints: Iterable[Object]) -> Object:
        service = self._service
        return {
            "apiVersion": ENDPOINTSLICES.api_version,
            "kind": ENDPOINTSLICES.kind,
            "metadata": {
                "generateName": f"{name_of(service)}-",
                "namespace": namespace_of(service),
                "labels": _labels(service),
                "ownerReferences": [owner_reference(service, SERVICES)],
            },
            "addressType": self._family,
            "endpoints": list(endpoints),
            "ports": list(ports),
        }


def _labels(service: Object) -> dict[str, str]:
    labels = {name: text for name, text in labels_of(service).items() if name not in _RESERVED}
    labels |= {SERVICE_NAME: name_of(service), MANAGED_BY: MANAGER}
    return labels | ({HEADLESS: ""} if is_headless(service) else {})
