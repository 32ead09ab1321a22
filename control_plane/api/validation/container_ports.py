"""Rules of container ports, alone and against each other.

Called by containers.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    one_of,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def validate_ports(container: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check the ports of one container."""
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or []):
        where = f"{path}.ports[{index}]"
        yield from _validate_name(port.get("name") or "", f"{where}.name", names)
        number, host = port.get("containerPort") or 0, port.get("hostPort") or 0
        if not number:
            yield required(f"{where}.containerPort")
        else:
            messages = formats.port_number(number)
            yield from invalid_each(f"{where}.containerPort", number, messages)
        if host:
            yield from invalid_each(f"{where}.hostPort", host, formats.port_number(host))
        yield from one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)
        laxer = context.is_template and not host
        if context.host_network and host != number and not laxer:
            detail = "must match `containerPort` when `hostNetwork` is true"
            yield invalid(f"{where}.hostPort", host, detail)


def _validate_name(name: str, path: str, names: set[str]) -> Iterator[FieldError]:
    if not name:
        return
    messages = formats.port_name(name)
    yield from invalid_each(path, name, messages)
    if not messages and name in names:
        yield duplicate(path, name)
    names.add(name)


def validate_host_port_conflicts(containers: list[Object], path: str) -> Iterator[FieldError]:
    """Refuse two ports of the pod that want the same port of the node."""
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for at, port in enumerate(container.get("ports") or []):
            host = port.get("hostPort")
            if not host:
                continue
            claim = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{host}"
            if claim in taken:
                yield duplicate(f"{path}[{index}].ports[{at}].hostPort", claim)
            taken.add(claim)
