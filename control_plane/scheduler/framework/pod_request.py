"""How much of a node a pod asks for.

Amounts are plain integers: `cpu` in millicores, everything else (bytes, counts) in whole units.
`pods` is not part of a request; NodeResourcesFit counts pods itself. All functions are pure.

The rule, per resource: what the containers need at once (control_plane.api.pod_requests), then
pod-level requests replace the aggregate of cpu, memory and huge pages, then overhead is added.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from control_plane.api.objects import Object, dig, find_condition
from control_plane.api.pod_requests import ResourceList, add, largest, requested_together
from control_plane.api.quantity import milli, value

ContainerRequest = Callable[[Object], ResourceList]

CPU = "cpu"
MEMORY = "memory"
PODS = "pods"
HUGE_PAGES_PREFIX = "hugepages-"
SCORING_DEFAULTS: ResourceList = MappingProxyType({CPU: 100, MEMORY: 200 * 1024 * 1024})
"""What scoring assumes for a container that requests none: 100m and 200 MiB."""


@lru_cache(maxsize=8192)
def _amount(resource: str, text: str) -> int:
    return milli(text) if resource == CPU else value(text)


def amounts(resources: Mapping[str, object] | None) -> dict[str, int]:
    """Turn a resource list of the API into integers. ValueError when a quantity does not parse."""
    return {name: _amount(name, str(text)) for name, text in (resources or {}).items()}


def subtract(left: ResourceList, right: ResourceList) -> dict[str, int]:
    """Take `right` from `left`; resources that reach 0 disappear."""
    rest = {name: amount - right.get(name, 0) for name, amount in left.items()}
    return {name: amount for name, amount in rest.items() if amount}


def container_request(container: Object) -> dict[str, int]:
    """Return what the container's spec requests."""
    return amounts(dig(container, "resources", "requests"))


def scoring_container_request(container: Object) -> dict[str, int]:
    """Return the container's request with the defaults that only scoring uses."""
    return {**SCORING_DEFAULTS, **container_request(container)}


def pod_request(spec: Object, of_container: ContainerRequest = container_request) -> dict[str, int]:
    """Return the request of a pod with this spec.

    `of_container` says what one container asks for.
    """
    return _pod_level(requested_together(spec, of_container), spec)


def _pod_level(aggregate: dict[str, int], spec: Object) -> dict[str, int]:
    own = amounts(dig(spec, "resources", "requests"))
    replaced = {name: n for name, n in own.items() if _is_pod_level(name)}
    return add({**aggregate, **replaced}, amounts(spec.get("overhead")))


def _is_pod_level(resource: str) -> bool:
    return resource in (CPU, MEMORY) or resource.startswith(HUGE_PAGES_PREFIX)


def placed_pod_request(
    pod: Object, of_container: ContainerRequest = container_request
) -> dict[str, int]:
    """Return what a pod that has a node holds there, in-place resizes included.

    Per container this is the largest of spec, status.resources and status.allocatedResources; while
    a resize is pending as Infeasible the spec does not count, because the node will not grant it.
    """
    status = pod.get("status") or {}
    reported = _container_statuses(status)
    if not reported:
        return pod_request(pod["spec"], of_container)
    infeasible = _resize_is_infeasible(pod)

    def held(container: Object) -> ResourceList:
        wanted = of_container(container)
        granted = _granted(reported.get(container.get("name", ""), {}))
        return granted if infeasible and granted else largest(wanted, granted)

    return pod_request(pod["spec"], held)


def _container_statuses(status: Object) -> dict[str, Object]:
    """Return by container name those statuses that say what was granted."""
    lists = (status.get("containerStatuses"), status.get("initContainerStatuses"))
    return {
        container["name"]: container
        for statuses in lists
        for container in statuses or ()
        if container.get("allocatedResources") or container.get("resources")
    }


def _granted(container_status: Object) -> dict[str, int]:
    running = amounts(dig(container_status, "resources", "requests"))
    return largest(running, amounts(container_status.get("allocatedResources")))


def _resize_is_infeasible(pod: Object) -> bool:
    condition = find_condition(pod, "PodResizePending")
    return bool(condition and condition.get("reason") == "Infeasible")
