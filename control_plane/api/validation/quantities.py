"""Quantities and resource names: requests, limits, capacities.

Called by the container, pod, node and storage rules. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from control_plane.api import quantity
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    MUST_BE_INTEGER,
    NEGATIVE,
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_found_with,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

HUGE_PAGES: Final = "hugepages-"
_CONTAINER_NAMES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_STANDARD_NAMES: Final = _CONTAINER_NAMES | {
    "storage", "pods", "services", "replicationcontrollers", "resourcequotas", "secrets",
    "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage",
}  # fmt: skip
_COUNTED_NAMES: Final = frozenset({
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
})  # fmt: skip


def amount_of(text: Any) -> Decimal:
    """Return a quantity's amount; one that does not parse counts as 0, decoding refused it."""
    try:
        return quantity.parse(str(text))
    except ValueError:
        return Decimal(0)


def is_native(name: str) -> bool:
    """Tell whether a resource is Kubernetes' own: unqualified, or under kubernetes.io."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Tell whether a name is one that devices are offered under."""
    return (
        not is_native(name)
        and not name.startswith("requests.")
        and not (formats.qualified_name(f"requests.{name}"))
    )


def allows_overcommit(name: str) -> bool:
    """Tell whether limits may exceed requests."""
    return is_native(name) and not name.startswith(HUGE_PAGES)


def validate_resource_name(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of any resource."""
    messages = formats.qualified_name(name)
    yield from invalid_each(path, name, messages)
    if messages or "/" in name:
        return
    if name not in _STANDARD_NAMES and not name.removeprefix("requests.").startswith(HUGE_PAGES):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def validate_container_resource_name(name: str, path: str) -> Iterator[FieldError]:
    """Check the name of a resource that containers may ask for."""
    yield from validate_resource_name(name, path)
    if "/" not in name:
        if name not in _CONTAINER_NAMES and not name.startswith(HUGE_PAGES):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def validate_amount(name: str, amount: Any, path: str) -> Iterator[FieldError]:
    """Check the quantity of a named resource: not negative, whole where things are counted."""
    value = amount_of(amount)
    if value < 0:
        yield invalid(path, str(amount), NEGATIVE)
    counted = name in _COUNTED_NAMES or is_extended(name)
    if counted and value % 1 != 0:
        yield invalid(path, str(amount), MUST_BE_INTEGER)


def validate_requirements(
    resources: Object, path: str, claims: Iterable[str] = ()
) -> Iterator[FieldError]:
    """Check a container's requests, limits and claims, the last against the pod's `claims`."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, amount in limits.items():
        yield from _validate_entry(name, amount, f"{path}.limits[{name}]", f"{path}.limits")
    for name, amount in requests.items():
        yield from _validate_entry(name, amount, f"{path}.requests[{name}]", f"{path}.requests")
        yield from _compare(name, amount, limits.get(name), path)
    names = limits.keys() | requests.keys()
    if any(name.startswith(HUGE_PAGES) for name in names) and not names & {"cpu", "memory"}:
        yield forbidden(path, "HugePages require cpu or memory")
    yield from _validate_claims(resources.get("claims") or [], f"{path}.claims", list(claims))


def _validate_entry(name: str, amount: Any, path: str, list_path: str) -> Iterator[FieldError]:
    yield from validate_container_resource_name(name, list_path)
    yield from validate_amount(name, amount, path)
    if name.startswith(HUGE_PAGES):
        size, value = amount_of(name.removeprefix(HUGE_PAGES)), amount_of(amount)
        if size <= 0 or value <= 0 or value % size:
            yield invalid(path, str(amount), f"{amount} is not positive integer multiple of {name}")


def _compare(name: str, request: Any, limit: Any, path: str) -> Iterator[FieldError]:
    if limit is None:
        if not allows_overcommit(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    requested, limited = amount_of(request), amount_of(limit)
    where, shown = f"{path}.requests", quantity.canonical(str(limit))
    if requested != limited and not allows_overcommit(name):
        yield invalid(where, str(request), f"must be equal to {name} limit of {shown}")
    elif requested > limited:
        yield invalid(where, str(request), f"must be less than or equal to {name} limit of {shown}")


def _validate_claims(claims: list[Object], path: str, known: list[str]) -> Iterator[FieldError]:
    names = set()
    for index, claim in enumerate(claims):
        name = claim.get("name") or ""
        where = f"{path}[{index}]"
        if not name:
            yield required(f"{where}.name")
            continue
        if name in names:
            yield duplicate(where, name)
        names.add(name)
        if name not in known:
            rest = f": {', '.join(sorted(known))}" if known else " which is empty"
            yield not_found_with(
                where, name, f"must be one of the names in pod.spec.resourceClaims{rest}"
            )
