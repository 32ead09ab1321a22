"""Rules of ingresses.

Called through the VALIDATORS table. Source: v1.35 networking/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import annotations_of
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_NEVER_IN_PATHS: Final = ("//", "/./", "/../", "%2f", "%2F")
_NEVER_AT_END: Final = ("/..", "/.")


def validate_new_ingress(ingress: Object) -> Iterator[FieldError]:
    """Check a new Ingress: its class is given once, or twice the same."""
    yield from validate_ingress(ingress)
    annotation = annotations_of(ingress).get(CLASS_ANNOTATION)
    name = (ingress.get("spec") or {}).get("ingressClassName")
    if annotation is not None and name is not None and annotation != name:
        detail = "must match `ingressClassName` when both are specified"
        yield invalid(f"annotations.{CLASS_ANNOTATION}", annotation, detail)


def validate_ingress(ingress: Object) -> Iterator[FieldError]:
    """Check an Ingress."""
    spec = ingress.get("spec") or {}
    rules, backend = spec.get("rules") or [], spec.get("defaultBackend")
    if not rules and backend is None:
        shown = {
            "IngressClassName": spec.get("ingressClassName"),
            "DefaultBackend": None,
            "TLS": spec.get("tls"),
            "Rules": None,
        }
        detail = "either `defaultBackend` or `rules` must be specified"
        yield invalid("spec", shown, detail)
    if backend is not None:
        yield from _validate_backend(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        yield from _validate_rule(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(spec.get("tls") or []):
        yield from _validate_tls(tls, f"spec.tls[{index}]")
    name = spec.get("ingressClassName")
    if name is not None:
        yield from invalid_each("spec.ingressClassName", name, formats.dns1123_subdomain(name))


def _host_messages(host: str) -> list[str]:
    if "*" in host:
        return formats.wildcard_subdomain(host)
    return formats.dns1123_subdomain(host)


def _validate_tls(tls: Object, path: str) -> Iterator[FieldError]:
    for index, host in enumerate(tls.get("hosts") or []):
        yield from invalid_each(f"{path}.hosts[{index}]", host, _host_messages(host))
    secret = tls.get("secretName") or ""
    if secret:
        yield from invalid_each(f"{path}.secretName", secret, formats.dns1123_subdomain(secret))


def _validate_rule(rule: Object, path: str) -> Iterator[FieldError]:
    host = rule.get("host") or ""
    if host:
        if formats.parsed_ip(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from invalid_each(f"{path}.host", host, _host_messages(host))
    http = rule.get("http")
    if http is None:
        return
    paths = http.get("paths") or []
    if not paths:
        yield required(f"{path}.http.paths")
    for index, each in enumerate(paths):
        yield from _validate_path(each, f"{path}.http.paths[{index}]")


def _validate_path(each: Object, where: str) -> Iterator[FieldError]:
    kind, path = each.get("pathType"), each.get("path") or ""
    if kind is None:
        yield required(f"{where}.pathType", "pathType must be specified")
        return
    if kind not in _PATH_TYPES:
        yield not_supported(f"{where}.pathType", kind, _PATH_TYPES)
    elif kind == "ImplementationSpecific":
        if path and not path.startswith("/"):
            yield invalid(f"{where}.path", path, "must be an absolute path")
    else:
        yield from _validate_exact_path(path, f"{where}.path")
    yield from _validate_backend(each.get("backend") or {}, f"{where}.backend")


def _validate_exact_path(path: str, where: str) -> Iterator[FieldError]:
    if not path.startswith("/"):
        yield invalid(where, path, "must be an absolute path")
    for sequence in _NEVER_IN_PATHS:
        if sequence in path:
            yield invalid(where, path, f"must not contain '{sequence}'")
    for suffix in _NEVER_AT_END:
        if path.endswith(suffix):
            yield invalid(where, path, f"cannot end with '{suffix}'")


def _validate_backend(backend: Object, path: str) -> Iterator[FieldError]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        yield from _validate_resource(resource, f"{path}.resource")
    elif service is None:
        yield invalid(path, "", "resource or service backend is required")
    else:
        yield from _validate_service(service, path)


def _validate_resource(resource: Object, path: str) -> Iterator[FieldError]:
    group = resource.get("apiGroup")
    if group:
        yield from invalid_each(f"{path}.apiGroup", group, formats.dns1123_subdomain(group))
    for field in ("kind", "name"):
        value = resource.get(field) or ""
        if not value:
            yield required(f"{path}.{field}")
        else:
            yield from invalid_each(f"{path}.{field}", value, formats.path_segment(value))


def _validate_service(service: Object, path: str) -> Iterator[FieldError]:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required(f"{path}.service.name")
    else:
        yield from invalid_each(f"{path}.service.name", name, formats.dns1035_label(name))
    number: Any = port.get("number") or 0
    port_name = port.get("name") or ""
    if port_name and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif port_name:
        where = f"{path}.service.port.name"
        yield from invalid_each(where, port_name, formats.port_name(port_name))
    elif number:
        where = f"{path}.service.port.number"
        yield from invalid_each(where, number, formats.port_number(number))
    else:
        yield required(path, "port name or number is required")


def validate_ingress_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the addresses in an Ingress's status."""
    entries = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    for index, entry in enumerate(entries):
        path = f"status.loadBalancer.ingress[{index}]"
        address, host = entry.get("ip") or "", entry.get("hostname") or ""
        if address:
            yield from invalid_each(f"{path}.ip", address, formats.ip_address(address))
        if host:
            yield from invalid_each(f"{path}.hostname", host, formats.dns1123_subdomain(host))
            if formats.parsed_ip(host) is not None:
                yield invalid(f"{path}.hostname", host, "must be a DNS name, not an IP address")
