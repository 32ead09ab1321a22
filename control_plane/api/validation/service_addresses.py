"""Rules of a service's cluster IPs and their families.

Called by services.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.service_rules import HEADLESS, family_of
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_POLICIES: Final = ("PreferDualStack", "RequireDualStack", "SingleStack")
_FAMILIES: Final = ("IPv4", "IPv6")


def validate_addresses(spec: Object) -> Iterator[FieldError]:
    """Check clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy against each other."""
    if spec.get("type") == "ExternalName":
        return
    yield from _validate_primary(spec)
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        where = f"spec.ipFamilies[{index}]"
        if family not in _FAMILIES:
            yield not_supported(where, family, _FAMILIES)
        if family in families[:index]:
            yield duplicate(where, family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _POLICIES:
        yield not_supported("spec.ipFamilyPolicy", policy, _POLICIES)
    yield from _validate_ips(spec.get("clusterIPs") or [], families)


def _validate_primary(spec: Object) -> Iterator[FieldError]:
    ip, ips = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if ip:
        if not ips:
            yield required("spec.clusterIPs")
        elif ips[0] != ip:
            yield invalid("spec.clusterIPs", ips, "first value must match `clusterIP`")
    elif ips:
        yield invalid("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified")


def _validate_ips(ips: list[str], families: list[str]) -> Iterator[FieldError]:
    for index, ip in enumerate(ips):
        if ip == HEADLESS:
            if len(ips) > 1:
                detail = "'None' must be the first and only value"
                yield invalid("spec.clusterIPs", ips, detail)
            continue
        where = f"spec.clusterIPs[{index}]"
        messages = formats.ip_address(ip)
        yield from invalid_each(where, ip, messages)
        if not messages and index < len(families) and families[index] != family_of(ip):
            expected = families[index]
            detail = f"expected an {expected} value as indicated by `ipFamilies[{index}]`"
            yield invalid(where, ip, detail)
    if len(ips) > 2:
        yield invalid("spec.clusterIPs", ips, "may only hold up to 2 values")
    if len(ips) == 2 and HEADLESS not in ips and family_of(ips[0]) == family_of(ips[1]):
        detail = "may specify no more than one IP for each IP family"
        yield invalid("spec.clusterIPs", ips, detail)


def validate_addresses_update(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Check that what was allocated stays."""
    if "ExternalName" in (spec.get("type"), stored.get("type")):
        return
    yield from _validate_ips_kept(spec, stored)
    yield from _validate_families_kept(spec, stored)


def _validate_ips_kept(spec: Object, stored: Object) -> Iterator[FieldError]:
    ips, old_ips = spec.get("clusterIPs") or [], stored.get("clusterIPs") or []
    if old_ips and not ips:
        yield invalid("spec.clusterIPs[0]", ips, "primary clusterIP can not be unset")
    for index, (ip, old_ip) in enumerate(zip(ips, old_ips, strict=False)):
        if ip != old_ip:
            yield invalid(f"spec.clusterIPs[{index}]", ips, "may not change once set")
    if len(old_ips) == 2 and len(ips) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        yield invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail)


def _validate_families_kept(spec: Object, stored: Object) -> Iterator[FieldError]:
    families, old = spec.get("ipFamilies") or [], stored.get("ipFamilies") or []
    if not old:
        return
    if not families:
        yield invalid("spec.ipFamilies[0]", families, "primary ipFamily can not be unset")
    elif families[0] != old[0]:
        yield invalid("spec.ipFamilies[0]", families[0], "may not change once set")
    if len(old) == 2 and len(families) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        yield invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail)
