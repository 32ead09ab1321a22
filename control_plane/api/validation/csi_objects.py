"""Rules of CSI drivers, nodes and storage capacities.

Called through the VALIDATORS table. Source: v1.35 storage/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import name_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    NEGATIVE,
    duplicate,
    invalid,
    invalid_each,
    non_negative,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.quantities import amount_of
from control_plane.api.validation.storage_classes import validate_driver_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_NODE_ID: Final = 256
MIN_TOKEN_SECONDS: Final = 600
MAX_TOKEN_SECONDS: Final = 2**32
MIN_UPDATE_SECONDS: Final = 10
_GROUP_POLICIES: Final = ("File", "None", "ReadWriteOnceWithFSType")
_LIFECYCLES: Final = ("Ephemeral", "Persistent")
_NEEDED: Final = ("attachRequired", "podInfoOnMount", "storageCapacity")


def validate_csi_driver(driver: Object) -> Iterator[FieldError]:
    """Check a CSIDriver."""
    spec = driver.get("spec") or {}
    yield from validate_driver_name(name_of(driver), "metadata.name")
    for field in _NEEDED:
        if spec.get(field) is None:
            yield required(f"spec.{field}")
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in _GROUP_POLICIES:
        yield not_supported("spec.fsGroupPolicy", policy, _GROUP_POLICIES)
    yield from _validate_token_requests(spec)
    for mode in spec.get("volumeLifecycleModes") or []:
        if mode not in _LIFECYCLES:
            yield not_supported("spec.volumeLifecycleModes", mode, _LIFECYCLES)
    if spec.get("seLinuxMount") is None:
        yield required("spec.seLinuxMount")
    seconds = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if seconds is not None and seconds < MIN_UPDATE_SECONDS:
        detail = f"must be greater than or equal to {MIN_UPDATE_SECONDS} seconds"
        yield invalid("spec.nodeAllocatableUpdatePeriodSeconds", seconds, detail)


def _validate_token_requests(spec: Object) -> Iterator[FieldError]:
    requests = spec.get("tokenRequests") or []
    if spec.get("serviceAccountTokenInSecrets") and not requests:
        detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        yield invalid("spec.serviceAccountTokenInSecrets", True, detail)
    seen: set[str] = set()
    for index, request in enumerate(requests):
        path, audience = f"spec.tokenRequests[{index}]", request.get("audience") or ""
        if audience in seen:
            yield duplicate(f"{path}.audience", audience)
        seen.add(audience)
        seconds = request.get("expirationSeconds")
        if seconds is None:
            continue
        if seconds < MIN_TOKEN_SECONDS:
            detail = "may not specify a duration less than 10 minutes"
            yield invalid(f"{path}.expirationSeconds", seconds, detail)
        if seconds > MAX_TOKEN_SECONDS:
            detail = "may not specify a duration larger than 2^32 seconds"
            yield invalid(f"{path}.expirationSeconds", seconds, detail)


def validate_csi_driver_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a CSIDriver: how volumes are attached and live stays."""
    yield from validate_csi_driver(new)
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    for field, path in (
        ("attachRequired", "spec.attachedRequired"),
        ("volumeLifecycleModes", "spec.volumeLifecycleModes"),
    ):
        if not semantically_equal(spec.get(field), stored.get(field)):
            yield invalid(path, spec.get(field), IMMUTABLE)


def validate_csi_node(node: Object) -> Iterator[FieldError]:
    """Check a CSINode: each driver once."""
    seen: set[str] = set()
    for index, driver in enumerate((node.get("spec") or {}).get("drivers") or []):
        path, name = f"spec.drivers[{index}]", driver.get("name") or ""
        yield from validate_driver_name(name, f"{path}.name")
        yield from _validate_node_id(driver.get("nodeID") or "", f"{path}.nodeID")
        count = (driver.get("allocatable") or {}).get("count")
        yield from non_negative(f"{path}.allocatable.count", count)
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        yield from _validate_keys(driver.get("topologyKeys") or [], f"{path}.topologyKeys")


def _validate_node_id(node_id: str, path: str) -> Iterator[FieldError]:
    if not node_id:
        yield required(path)
    elif len(node_id.encode()) > MAX_NODE_ID:
        yield invalid(path, node_id, f"must be {MAX_NODE_ID} characters or less")


def _validate_keys(keys: list[str], path: str) -> Iterator[FieldError]:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield duplicate(path, key)
        yield from invalid_each(path, key, formats.qualified_name(key))


def validate_csi_node_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a CSINode: a driver's entry stays, but for how much it can take."""
    drivers, stored = ((obj.get("spec") or {}).get("drivers") or [] for obj in (new, old))
    kept = {driver.get("name"): driver for driver in drivers}
    for before in stored:
        now = kept.get(before.get("name"))
        if now is not None and not semantically_equal(_fixed(now), _fixed(before)):
            yield invalid("spec.drivers", now, IMMUTABLE)
    yield from validate_csi_node(new)


def _fixed(driver: Object) -> Object:
    return {field: value for field, value in driver.items() if field != "allocatable"}


def validate_storage_capacity(capacity: Object) -> Iterator[FieldError]:
    """Check a CSIStorageCapacity."""
    yield from validate_selector(capacity.get("nodeTopology"), "nodeTopology")
    name = capacity.get("storageClassName") or ""
    yield from invalid_each("storageClassName", name, formats.dns1123_subdomain(name))
    for field in ("capacity", "maximumVolumeSize"):
        amount = capacity.get(field)
        if amount is not None and amount_of(amount) < 0:
            yield invalid(field, str(amount), NEGATIVE)


def validate_storage_capacity_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a CSIStorageCapacity: it stays about the same place and class."""
    yield from validate_storage_capacity(new)
    for field in ("nodeTopology", "storageClassName"):
        if not semantically_equal(new.get(field), old.get(field)):
            yield invalid(field, new.get(field), IMMUTABLE)
