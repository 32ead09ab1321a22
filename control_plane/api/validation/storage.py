"""Rules of persistent volumes and claims.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

import math
import posixpath
from typing import TYPE_CHECKING, Final

from control_plane.api.internal_difference import difference
from control_plane.api.internal_form import internal_form
from control_plane.api.objects import deep_copy, dig
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.claim_spec import (
    validate_access_modes,
    validate_claim_spec,
    validate_storage_class_name,
    validate_volume_mode,
)
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    NOT_POSITIVE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.node_affinity import validate_node_selector
from control_plane.api.validation.quantities import amount_of, is_native
from control_plane.api.validation.volume_drivers import DRIVERS, SHOWN_AS, initiator_too_long
from control_plane.api.validation.volume_sources import host_path, persistent_csi
from control_plane.api.validation.volumes import validate_required_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

VOLUME_SOURCES: Final = frozenset({
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc",
    "flexVolume", "flocker", "gcePersistentDisk", "glusterfs", "hostPath", "iscsi", "local", "nfs",
    "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos",
    "vsphereVolume",
})  # fmt: skip
_SOURCES: Final[Mapping[str, Callable[[Object, str], Iterator[FieldError]]]] = {
    **DRIVERS, "csi": persistent_csi, "hostPath": host_path,
}  # fmt: skip
_RESIZE_STEPS: Final = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress",
    "NodeResizeInfeasible", "NodeResizePending",
)  # fmt: skip
_WITH_MOUNT_OPTIONS: Final = frozenset({
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "gcePersistentDisk",
    "glusterfs", "iscsi", "nfs", "photonPersistentDisk", "quobyte", "rbd", "vsphereVolume",
})  # fmt: skip
_MOUNT_OPTIONS: Final = "volume.beta.kubernetes.io/mount-options"
_RECLAIM_POLICIES: Final = ("Delete", "Recycle", "Retain")
_CLAIM_IMMUTABLE: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)


def validate_volume(volume: Object) -> Iterator[FieldError]:
    """Check a PersistentVolume."""
    spec = volume.get("spec") or {}
    modes = spec.get("accessModes") or []
    if not modes:
        yield required("spec.accessModes")
    yield from validate_access_modes(modes, "spec.accessModes")
    yield from _validate_capacity(spec.get("capacity") or {})
    policy = spec.get("persistentVolumeReclaimPolicy") or ""
    if policy and policy not in _RECLAIM_POLICIES:
        yield not_supported("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM_POLICIES)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        yield from _validate_affinity(affinity)
    yield from _validate_source(spec)
    root = posixpath.normpath(dig(spec, "hostPath", "path", default=".")) == "/"
    if root and policy == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        yield forbidden("spec.persistentVolumeReclaimPolicy", detail)
    yield from validate_storage_class_name(spec.get("storageClassName"), "spec.storageClassName")
    yield from validate_volume_mode(spec.get("volumeMode"), "spec.volumeMode")
    yield from _validate_attributes_class(spec)
    yield from _validate_metadata(volume.get("metadata") or {}, spec)


def _validate_attributes_class(spec: Object) -> Iterator[FieldError]:
    name, where = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is None:
        return
    if not name:
        yield required(where, "an empty string is disallowed")
    else:
        yield from invalid_each(where, name, formats.dns1123_subdomain(name))
    if spec.get("csi") is None:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _validate_metadata(metadata: Object, spec: Object) -> Iterator[FieldError]:
    """Check what a volume's name and annotations come to with its source."""
    name = metadata.get("name") or ""
    yield from initiator_too_long(name, spec.get("iscsi") or {}, "metadata.name")
    takes_options = any(spec.get(source) is not None for source in _WITH_MOUNT_OPTIONS)
    if _MOUNT_OPTIONS in (metadata.get("annotations") or {}) and not takes_options:
        detail = "may not specify mount options for this volume type"
        yield forbidden(f"metadata.annotations.{_MOUNT_OPTIONS}", detail)


def _validate_capacity(capacity: Object) -> Iterator[FieldError]:
    if not capacity:
        yield required("spec.capacity")
    if capacity and ("storage" not in capacity or len(capacity) > 1):
        yield not_supported("spec.capacity", capacity, ("storage",))
    for name, amount in capacity.items():
        if amount_of(amount) <= 0:
            yield invalid(f"spec.capacity[{name}]", str(amount), NOT_POSITIVE)


def _validate_affinity(affinity: Object) -> Iterator[FieldError]:
    where = "spec.nodeAffinity.required"
    if affinity.get("required") is None:
        yield required(where, "must specify required node constraints")
    else:
        yield from validate_node_selector(affinity["required"], where)


def _validate_source(spec: Object) -> Iterator[FieldError]:
    given = [name for name in spec if name in VOLUME_SOURCES and spec[name] is not None]
    for position, name in enumerate(given):
        where = f"spec.{name}"
        if position:
            yield forbidden(where, "may not specify more than 1 volume type")
            continue
        shown = f"spec.{SHOWN_AS.get(name, name)}"
        yield from validate_required_fields(name, spec[name], shown)
        if name in _SOURCES:
            yield from _SOURCES[name](spec[name], shown)
        if name == "local" and spec.get("nodeAffinity") is None:
            yield required("spec.nodeAffinity", "Local volume requires node affinity")
    if not given:
        yield required("spec", "must specify a volume type")


def validate_volume_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a PersistentVolume."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_volume(new)
    source, before = ({name: s.get(name) for name in VOLUME_SOURCES} for s in (spec, stored))
    expand = dig(spec, "csi", "controllerExpandSecretRef")
    if expand is not None and before["csi"] and not before["csi"].get("controllerExpandSecretRef"):
        before["csi"] = {**before["csi"], "controllerExpandSecretRef": expand}
    if not semantically_equal(source, before):
        path = "spec.persistentvolumesource"
        shown = difference("PersistentVolumeSource", before, source)
        yield forbidden(path, f"{path} is immutable after creation\n{shown}")
    if spec.get("volumeMode") != stored.get("volumeMode"):
        yield invalid("volumeMode", spec.get("volumeMode"), IMMUTABLE)
    attributes = "volumeAttributesClassName"
    if stored.get(attributes) is not None and spec.get(attributes) is None:
        yield forbidden(f"spec.{attributes}", "update from non-nil value to nil is forbidden")
    affinity = stored.get("nodeAffinity")
    if affinity is not None and not semantically_equal(spec.get("nodeAffinity"), affinity):
        detail = "field is immutable, except for updating from beta label to GA"
        wanted = spec.get("nodeAffinity")
        nodes = None if wanted is None else internal_form("VolumeNodeAffinity", wanted)
        yield invalid("nodeAffinity", nodes, detail)


def validate_claim(claim: Object) -> Iterator[FieldError]:
    """Check a PersistentVolumeClaim."""
    yield from validate_claim_spec(claim.get("spec") or {}, "spec")


def validate_claim_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a claim: a bound one may grow, an unbound one may be bound."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_claim(new)
    munged = deep_copy(spec)
    if not stored.get("volumeName"):
        munged["volumeName"] = stored.get("volumeName")
    if stored.get("storageClassName") is None:
        munged["storageClassName"] = None
    if dig(old, "status", "phase") == "Bound":
        munged["volumeAttributesClassName"] = stored.get("volumeAttributesClassName")
        munged["resources"] = _with_requested(
            munged, dig(stored, "resources", "requests", "storage")
        )
        yield from _validate_growth(new, old)
    if not semantically_equal(munged, stored):
        shown = difference("PersistentVolumeClaimSpec", stored, munged)
        yield forbidden("spec", f"{_CLAIM_IMMUTABLE}\n{shown}")
    if spec.get("volumeMode") != stored.get("volumeMode"):
        yield invalid("volumeMode", spec.get("volumeMode"), IMMUTABLE)
    if dig(old, "status", "currentVolumeAttributesClassName") is not None:
        yield from _validate_class_kept(spec, stored)


def _validate_class_kept(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Refuse that a claim lets go of an attributes class which its volume has got."""
    name = spec.get("volumeAttributesClassName")
    if not name and name != stored.get("volumeAttributesClassName"):
        detail = (
            f"update to {'nil' if name is None else 'empty string'} is forbidden when "
            "status.currentVolumeAttributesClassName is not nil"
        )
        yield forbidden("spec.volumeAttributesClassName", detail)


def _with_requested(spec: Object, storage: object) -> Object:
    resources = spec.get("resources") or {}
    return {**resources, "requests": {**(resources.get("requests") or {}), "storage": storage}}


def _validate_growth(new: Object, old: Object) -> Iterator[FieldError]:
    path = ("spec", "resources", "requests", "storage")
    wanted, before = (amount_of(dig(claim, *path, default="0")) for claim in (new, old))
    capacity = amount_of(dig(old, "status", "capacity", "storage", default="0"))
    if wanted < before and wanted <= capacity:
        detail = "field can not be less than status.capacity"
        yield forbidden("spec.resources.requests.storage", detail)


def validate_claim_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check a claim's status: amounts that there can be, steps of growing that are known."""
    status = new.get("status") or {}
    for name, amount in (status.get("capacity") or {}).items():
        yield from _validate_size(amount, f"status.capacity[{name}]")
    path = "status.allocatedResourceStatus"
    for name, step in (status.get("allocatedResourceStatuses") or {}).items():
        yield from _validate_key(name, path)
        if step not in _RESIZE_STEPS:
            yield not_supported(path, name, _RESIZE_STEPS)
    path = "status.allocatedResources"
    for name, amount in (status.get("allocatedResources") or {}).items():
        refused = list(_validate_key(name, path))
        yield from refused or _validate_size(amount, f"{path}[{name}]")


def _validate_key(name: str, path: str) -> Iterator[FieldError]:
    messages = formats.qualified_name(name)
    yield from invalid_each(path, name, messages)
    if not messages and is_native(name) and name != "storage":
        yield not_supported(path, name, ("storage",))


def _validate_size(amount: object, path: str) -> Iterator[FieldError]:
    size = math.ceil(amount_of(amount))
    if size < 0:
        yield invalid(path, size, "must be a valid resource quantity")
