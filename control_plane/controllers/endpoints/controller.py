"""The endpoints controller: writes one Endpoints object per service with a selector.

Source: kubernetes pkg/controller/endpoint/endpoints_controller.go.
"""

from collections.abc import Iterable

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.objects import (
    Object,
    annotations_of,
    deep_copy,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    split_key,
)
from control_plane.api.resources import ENDPOINTS, PODS, SERVICES
from control_plane.api.semantics import semantically_equal
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.endpoints.backing_pods import (
    HEADLESS,
    is_headless,
    pods_of,
    selects_pods,
    services_concerned,
)
from control_plane.controllers.endpoints.subsets import subsets_of, truncated
from control_plane.controllers.endpoints.trigger_time import ANNOTATION, TriggerTimes
from control_plane.controllers.runtime import DONE, Controller, Result, is_namespace_terminating
from control_plane.controllers.sources import Change, For, Watches

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
COMPONENT = "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
LEADER = "control-plane.alpha.kubernetes.io/leader"


def endpoints(config: ControllersConfig) -> Controller:
    """Return the controller of Endpoints."""
    return Controller(
        "endpoints-controller",
        COMPONENT,
        EndpointsController().reconcile,
        sources=(
            For(SERVICES),
            Watches(PODS, services_concerned, config.endpoint_updates_batch_period),
            Watches(ENDPOINTS, lost_or_left_over),
        ),
        workers=config.concurrent_endpoint_syncs,
        max_retries=15,
    )


def lost_or_left_over(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the service whose Endpoints were deleted, or were found at the start.

    The latter so that leftovers of services deleted while nobody looked go away.
    """
    at_start = not cluster.informer(ENDPOINTS).has_synced.is_set()
    is_lock = LEADER in annotations_of(change.latest)
    if change.event == "delete" or (at_start and not is_lock):
        yield key_of(change.latest)


def plan(
    service: Object, pods: list[Object], found: Object | None, trigger_time: str
) -> Object | None:
    """Return the Endpoints to write, or None when `found` is as it should be."""
    subsets, cut = truncated(subsets_of(service, pods))
    labels = _labels(service)
    annotations = dict(annotations_of(found or {}))
    was_cut = OVER_CAPACITY in annotations
    if found is not None and was_cut == cut and _same(found, subsets, labels):
        return None
    annotations.pop(OVER_CAPACITY, None)
    annotations.pop(ANNOTATION, None)
    if cut:
        annotations[OVER_CAPACITY] = "truncated"
    if trigger_time:
        annotations[ANNOTATION] = trigger_time
    wanted = deep_copy(found) if found else _new(service)
    wanted["metadata"] |= {"labels": labels, "annotations": annotations}
    wanted["subsets"] = subsets
    return wanted


def _same(found: Object, subsets: list[Object], labels: dict[str, str]) -> bool:
    return semantically_equal(found.get("subsets"), subsets) and labels_of(found) == labels


def _labels(service: Object) -> dict[str, str]:
    labels = {name: text for name, text in labels_of(service).items() if name != HEADLESS}
    labels[MANAGED_BY] = COMPONENT
    return labels | ({HEADLESS: ""} if is_headless(service) else {})


def _new(service: Object) -> Object:
    return {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": {"name": name_of(service), "namespace": namespace_of(service)},
    }


class EndpointsController:
    """The acting half; remembers trigger times."""

    def __init__(self) -> None:
        """Start knowing no service."""
        self._trigger_times = TriggerTimes()

    async def reconcile(self, key: str, cluster: Cluster) -> Result:
        """Bring the Endpoints of service `key` up to date; those of a gone service are deleted."""
        service = cluster.get(SERVICES, key)
        if service is None:
            self._trigger_times.forget(key)
            await _delete(cluster, key)
            return DONE
        if not selects_pods(service):
            return DONE
        pods = pods_of(cluster, service)
        trigger_time = self._trigger_times.observe(service, pods)
        found = cluster.get(ENDPOINTS, key)
        wanted = plan(service, pods, found, trigger_time)
        if wanted is not None:
            await _write(cluster, wanted, found)
        return DONE


async def _delete(cluster: Cluster, key: str) -> None:
    namespace, name = split_key(key)
    try:
        await cluster.client.delete(ENDPOINTS, name, namespace)
    except NotFound:
        return


async def _write(cluster: Cluster, wanted: Object, found: Object | None) -> None:
    try:
        if found is None:
            await cluster.client.create(ENDPOINTS, wanted)
        else:
            await cluster.client.update(ENDPOINTS, wanted)
    except AlreadyExists:
        raise  # the cache lags: its event, or the retry, brings the next look
    except ApiError as error:
        if not is_namespace_terminating(error):
            _report(cluster, wanted, found, error)
        raise


def _report(cluster: Cluster, wanted: Object, found: Object | None, error: ApiError) -> None:
    key = key_of(wanted)
    if found is None:
        text = f"Failed to create endpoint for service {key}: {error.message}"
        cluster.events.record(wanted, "Warning", "FailedToCreateEndpoint", text)
    else:
        text = f"Failed to update endpoint {key}: {error.message}"
        cluster.events.record(wanted, "Warning", "FailedToUpdateEndpoint", text)
