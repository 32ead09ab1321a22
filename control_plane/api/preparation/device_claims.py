"""Preparation of devices, claims for them and their classes: fields of features that are off are
dropped.

Called by strategies.py. Source: v1.35 resource strategies and feature gates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import dig
from control_plane.api.preparation import plain
from control_plane.api.preparation.disabled_fields import drop_disabled_fields
from control_plane.api.preparation.strategy import first_generation

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_REQUEST_FIELDS: Final = ("tolerations", "capacity")  # DRADeviceTaints, DRAConsumableCapacity
_CLAIM_SPEC: Final = (
    *(("devices", "requests", "exactly", field) for field in _REQUEST_FIELDS),
    *(("devices", "requests", "firstAvailable", field) for field in _REQUEST_FIELDS),
    ("devices", "constraints", "distinctAttribute"),  # DRAConsumableCapacity
)
_CLAIM: Final = tuple(("spec", *path) for path in _CLAIM_SPEC)
_TEMPLATE: Final = tuple(("spec", *path) for path in _CLAIM)
_RESULTS: Final = ("status", "allocation", "devices", "results")
_CLAIM_STATUS: Final = (
    (*_RESULTS, "tolerations"),  # DRADeviceTaints
    (*_RESULTS, "bindingConditions"),  # DRADeviceBindingConditions
    (*_RESULTS, "bindingFailureConditions"),
    ("status", "allocation", "allocationTimestamp"),
    (*_RESULTS, "shareID"),  # DRAConsumableCapacity
    (*_RESULTS, "consumedCapacity"),
    ("status", "devices", "shareID"),
)
_CLASS: Final = (("spec", "extendedResourceName"),)  # DRAExtendedResource
_DEVICES: Final = ("spec", "devices")
_SLICE: Final = (
    ("spec", "sharedCounters"),  # DRAPartitionableDevices
    ("spec", "perDeviceNodeSelection"),
    (*_DEVICES, "consumesCounters"),
    (*_DEVICES, "nodeName"),
    (*_DEVICES, "nodeSelector"),
    (*_DEVICES, "allNodes"),
    (*_DEVICES, "taints"),  # DRADeviceTaints
    (*_DEVICES, "bindsToNode"),  # DRADeviceBindingConditions
    (*_DEVICES, "bindingConditions"),
    (*_DEVICES, "bindingFailureConditions"),
    (*_DEVICES, "allowMultipleAllocations"),  # DRAConsumableCapacity
    (*_DEVICES, "capacity", "*", "requestPolicy"),
)


def create_claim(claim: Object, now: str) -> None:
    """Start without a status."""
    plain.empty_status(claim, now)
    drop_disabled_fields(claim, {}, _CLAIM)


def update_claim(new: Object, old: Object, now: str) -> None:
    """Keep the stored status."""
    plain.keep_status(new, old, now)
    drop_disabled_fields(new, old, _CLAIM)


def update_claim_status(new: Object, old: Object, now: str) -> None:
    """Keep all but the status, which says nothing of devices that were given back."""
    plain.keep_spec_and_metadata(new, old, now)
    drop_disabled_fields(new, old, _CLAIM_STATUS)
    given_back = _allocated(old) - _allocated(new)
    status = new.get("status") or {}
    if given_back and status.get("devices"):
        kept = [device for device in status["devices"] if _identity(device) not in given_back]
        status.pop("devices") if not kept else status.update(devices=kept)


def _allocated(claim: Object) -> set[tuple[str, ...]]:
    return set(map(_identity, dig(claim, "status", "allocation", "devices", "results", default=[])))


def _identity(device: Object) -> tuple[str, ...]:
    return tuple(str(device.get(f) or "") for f in ("driver", "pool", "device", "shareID"))


def create_template(template: Object, _now: str) -> None:
    """Drop what is off."""
    drop_disabled_fields(template, {}, _TEMPLATE)


def update_template(new: Object, old: Object, _now: str) -> None:
    """Drop what is off."""
    drop_disabled_fields(new, old, _TEMPLATE)


def create_class(device_class: Object, now: str) -> None:
    """Start with generation 1."""
    first_generation(device_class, now)
    drop_disabled_fields(device_class, {}, _CLASS)


def update_class(new: Object, old: Object, now: str) -> None:
    """Make a new generation of a changed spec."""
    drop_disabled_fields(new, old, _CLASS)
    plain.count_specs(new, old, now)


def create_slice(resource_slice: Object, now: str) -> None:
    """Start with generation 1."""
    first_generation(resource_slice, now)
    drop_disabled_fields(resource_slice, {}, _SLICE)


def update_slice(new: Object, old: Object, now: str) -> None:
    """Make a new generation of a changed spec."""
    drop_disabled_fields(new, old, _SLICE)
    plain.count_specs(new, old, now)
