"""Rules of a pod's name resolution: dnsPolicy, dnsConfig, hostAliases, its own host name.

Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    one_of,
    required,
    too_long,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_POLICIES: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_MAX_SERVERS: Final = 3
_MAX_SEARCHES: Final = 32
_MAX_SEARCH_TEXT: Final = 2048
_MAX_HOST_NAME: Final = 64


def validate_pod_dns(spec: Object, path: str) -> Iterator[FieldError]:
    """Check everything about names that a pod spec says; `path` is the spec's."""
    yield from one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _POLICIES)
    yield from _validate_config(spec, f"{path}.dnsConfig")
    for field in ("hostname", "subdomain"):
        name = spec.get(field) or ""
        if name:
            yield from invalid_each(f"{path}.{field}", name, formats.dns1123_label(name))
    yield from _validate_override(spec, f"{path}.hostnameOverride")
    for index, alias in enumerate(spec.get("hostAliases") or []):
        where = f"{path}.hostAliases[{index}]"
        address = alias.get("ip") or ""
        yield from invalid_each(f"{where}.ip", address, formats.ip_address(address))
        for at, name in enumerate(alias.get("hostnames") or []):
            messages = formats.dns1123_subdomain(name)
            yield from invalid_each(f"{where}.hostnames[{at}]", name, messages)


def _validate_config(spec: Object, path: str) -> Iterator[FieldError]:
    config = spec.get("dnsConfig")
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not servers:
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.nameservers", detail)
            return
    if config is None:
        return
    if len(servers) > _MAX_SERVERS:
        detail = f"must not have more than {_MAX_SERVERS} nameservers"
        yield invalid(f"{path}.nameservers", servers, detail)
    for index, server in enumerate(servers):
        yield from invalid_each(f"{path}.nameservers[{index}]", server, formats.ip_address(server))
    yield from _validate_searches(config.get("searches") or [], f"{path}.searches")
    for index, option in enumerate(config.get("options") or []):
        if not option.get("name"):
            yield required(f"{path}.options[{index}]", "must not be empty")


def _validate_searches(searches: list[str], path: str) -> Iterator[FieldError]:
    if len(searches) > _MAX_SEARCHES:
        yield invalid(path, searches, f"must not have more than {_MAX_SEARCHES} search paths")
    if len(" ".join(searches)) > _MAX_SEARCH_TEXT:
        detail = (
            f"must not have more than {_MAX_SEARCH_TEXT} characters (including spaces) "
            "in the search list"
        )
        yield invalid(path, searches, detail)
    for index, search in enumerate(searches):
        if search != ".":
            bare = search.removesuffix(".")
            messages = formats.dns1123_subdomain_with_underscore(bare)
            yield from invalid_each(f"{path}[{index}]", search, messages)


def _validate_override(spec: Object, path: str) -> Iterator[FieldError]:
    name = spec.get("hostnameOverride")
    if name is None:
        return
    yield from invalid_each(path, name, formats.dns1123_subdomain(name))
    if len(name) > _MAX_HOST_NAME:
        yield too_long(path, _MAX_HOST_NAME)
    for field in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(field):
            yield forbidden(path, f"may not be specified when {field} is true")
