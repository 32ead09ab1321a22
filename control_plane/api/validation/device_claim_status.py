"""Rules of the status of claims: what is allocated, who has it, what drivers say of it.

Called through the VALIDATORS table. Source: v1.35 resource validation.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from control_plane.api.objects import is_terminating
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation.conditions import validate_conditions
from control_plane.api.validation.device_claims import (
    request_names,
    validate_reference,
    validate_references,
)
from control_plane.api.validation.device_names import (
    MAX_CONFIGS,
    validate_configuration,
    validate_items,
    validate_label,
    validate_pool,
    validate_raw,
    validate_unique,
)
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from control_plane.api.validation.node_affinity import validate_node_selector
from control_plane.api.validation.storage_classes import validate_driver_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_CONSUMERS: Final = 256
MAX_RESULTS: Final = 32
MAX_DEVICES: Final = 1 << 31
MAX_DEVICE_CONDITIONS: Final = 8
MAX_DATA: Final = 10 * 1024
MAX_ADDRESSES: Final = 16
_LENGTHS: Final = {"interfaceName": 256, "hardwareAddress": 128}
_BAD_ADDRESS: Final = "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)"


def validate_claim_status(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a claim's status."""
    status, stored = new.get("status") or {}, old.get("status") or {}
    consumers = status.get("reservedFor") or []
    yield from validate_unique(
        consumers, "status.reservedFor", MAX_CONSUMERS, _validate_consumer, _uid
    )
    allocation = status.get("allocation")
    allocated = {_identity(result) for result in _results(allocation or {})}

    def check_device(device: Object, path: str) -> Iterator[FieldError]:
        yield from _validate_device(device, path, is_allocated=_identity(device) in allocated)

    yield from validate_unique(
        status.get("devices") or [], "status.devices", MAX_DEVICES, check_device, _identity
    )
    if consumers:
        yield from _validate_reservation(new, stored)
    if allocation is None:
        return
    if stored.get("allocation") is None:
        names = request_names(new.get("spec") or {})
        yield from _validate_allocation(allocation, "status.allocation", names)
    elif not semantically_equal(allocation, stored["allocation"]):
        yield invalid("status.allocation", allocation, IMMUTABLE)


def _uid(consumer: Object) -> str:
    return consumer.get("uid") or ""


def _identity(device: Object) -> str:
    return "/".join(device.get(field) or "" for field in ("driver", "pool", "device"))


def _results(allocation: Object) -> list[Object]:
    return (allocation.get("devices") or {}).get("results") or []


def _validate_consumer(consumer: Object, path: str) -> Iterator[FieldError]:
    for field in ("resource", "name", "uid"):
        if not consumer.get(field):
            yield required(f"{path}.{field}")


def _validate_reservation(claim: Object, stored: Object) -> Iterator[FieldError]:
    status, path = claim["status"], "status.reservedFor"
    if status.get("allocation") is None:
        yield forbidden(path, "may not be specified when `allocated` is not set")
        return
    known = stored.get("reservedFor") or []
    if is_terminating(claim) and any(one not in known for one in status["reservedFor"]):
        yield forbidden(
            path,
            "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are "
            "set",
        )


def _validate_allocation(
    allocation: Object, path: str, names: Mapping[str, set[str]]
) -> Iterator[FieldError]:
    devices, where = allocation.get("devices") or {}, f"{path}.devices"

    def check_result(result: Object, at: str) -> Iterator[FieldError]:
        yield from validate_reference(result.get("request") or "", f"{at}.request", names)
        yield from _validate_place(result, at)

    def check_config(config: Object, at: str) -> Iterator[FieldError]:
        source = config.get("source") or ""
        if not source:
            yield required(f"{at}.source")
        elif source not in ("FromClaim", "FromClass"):
            yield not_supported(f"{at}.source", source, ("FromClaim", "FromClass"))
        yield from validate_references(config, at, names)
        yield from validate_configuration(config, at)

    yield from validate_items(_results(allocation), f"{where}.results", MAX_RESULTS, check_result)
    configs = devices.get("config") or []
    yield from validate_items(configs, f"{where}.config", 2 * MAX_CONFIGS, check_config)
    if allocation.get("nodeSelector") is not None:
        yield from validate_node_selector(allocation["nodeSelector"], f"{path}.nodeSelector")


def _validate_place(device: Object, path: str) -> Iterator[FieldError]:
    yield from validate_driver_name(device.get("driver") or "", f"{path}.driver")
    yield from validate_pool(device.get("pool") or "", f"{path}.pool")
    yield from validate_label(device.get("device") or "", f"{path}.device")


def _validate_device(device: Object, path: str, *, is_allocated: bool) -> Iterator[FieldError]:
    yield from _validate_place(device, path)
    if not is_allocated:
        yield invalid(path, _identity(device), "must be an allocated device in the claim")
    conditions = device.get("conditions") or []
    if len(conditions) > MAX_DEVICE_CONDITIONS:
        yield too_many(f"{path}.conditions", len(conditions), MAX_DEVICE_CONDITIONS)
    yield from validate_conditions(conditions, f"{path}.conditions")
    if device.get("data") is not None:
        yield from validate_raw(device["data"], f"{path}.data", MAX_DATA)
    yield from _validate_network(device.get("networkData") or {}, f"{path}.networkData")


def _validate_network(network: Object, path: str) -> Iterator[FieldError]:
    for field, limit in _LENGTHS.items():
        if len((network.get(field) or "").encode()) > limit:
            yield too_long(f"{path}.{field}", limit)
    addresses = network.get("ips") or []
    yield from validate_unique(addresses, f"{path}.ips", MAX_ADDRESSES, _validate_address, str)


def _validate_address(text: str, path: str) -> Iterator[FieldError]:
    try:
        address = ipaddress.ip_interface(text)
    except ValueError:
        yield invalid(path, text, _BAD_ADDRESS)
        return
    if "/" not in text:
        yield invalid(path, text, _BAD_ADDRESS)
    elif str(address) != text:
        yield invalid(path, text, f'must be in canonical form ("{address}")')
