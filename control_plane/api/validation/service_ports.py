"""Rules of the ports of a service.

Called by services.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.validation import formats
from control_plane.api.validation.container_ports import PROTOCOLS
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid_each,
    one_of,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def validate_service_ports(spec: Object) -> Iterator[FieldError]:
    """Check each port by itself, and that names are told apart."""
    ports = spec.get("ports") or []
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        yield from _validate_name(port.get("name") or "", where, names, needed=len(ports) > 1)
        yield from _validate_port(port, where)


def _validate_name(name: str, path: str, names: set[str], *, needed: bool) -> Iterator[FieldError]:
    if not name:
        if needed:
            yield required(f"{path}.name")
        return
    yield from invalid_each(f"{path}.name", name, formats.dns1123_label(name))
    if name in names:
        yield duplicate(f"{path}.name", name)
    names.add(name)


def _validate_port(port: Object, path: str) -> Iterator[FieldError]:
    number = port.get("port") or 0
    yield from invalid_each(f"{path}.port", number, formats.port_number(number))
    yield from one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    target = port.get("targetPort", 0)
    yield from invalid_each(f"{path}.targetPort", target, formats.port(target))
    protocol = port.get("appProtocol")
    if protocol is not None:
        messages = formats.qualified_name(protocol)
        yield from invalid_each(f"{path}.appProtocol", protocol, messages)


def validate_distinct_ports(spec: Object) -> Iterator[FieldError]:
    """Check that ports and node ports are told apart, and that the type has node ports."""
    ports = spec.get("ports") or []
    numbers: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        if spec.get("type") == "ClusterIP" and port.get("nodePort"):
            detail = "may not be used when `type` is 'ClusterIP'"
            yield forbidden(f"spec.ports[{index}].nodePort", detail)
    for index, port in enumerate(ports):
        protocol = port.get("protocol") or ""
        node_port = port.get("nodePort") or 0
        if node_port:
            if (protocol, node_port) in node_ports:
                yield duplicate(f"spec.ports[{index}].nodePort", node_port)
            node_ports.add((protocol, node_port))
    for index, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("port") or 0)
        if key in numbers:
            # upstream shows the pair that must be unique in the form of its own struct
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(f"spec.ports[{index}]", shown)
        numbers.add(key)
