"""Rules of probes and lifecycle handlers.

Called by containers.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    invalid_each,
    non_negative,
    one_of,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

_NUMBERS: Final = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def validate_probes(container: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check the three probes of a container."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            yield from _validate_probe(name, probe, f"{path}.{name}", context)


def _validate_probe(
    name: str, probe: Object, path: str, context: PodContext
) -> Iterator[FieldError]:
    yield from _validate_handler(probe, path, _PROBE_HANDLERS, context)
    for field in _NUMBERS:
        yield from non_negative(f"{path}.{field}", probe.get(field))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")
    if name != "readinessProbe":
        successes = probe.get("successThreshold")
        if successes is not None and successes != 1:
            yield invalid(f"{path}.successThreshold", successes, "must be 1")
    elif grace is not None:
        detail = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", grace, detail)


def validate_lifecycle(container: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    """Check the hooks of a container."""
    lifecycle = container.get("lifecycle") or {}
    for hook in ("postStart", "preStop"):
        if lifecycle.get(hook) is not None:
            yield from _validate_handler(
                lifecycle[hook], f"{path}.lifecycle.{hook}", _HOOK_HANDLERS, context
            )


def _validate_handler(
    owner: Object,
    path: str,
    handlers: Mapping[str, Callable[[Object, str, PodContext], Iterator[FieldError]]],
    context: PodContext,
) -> Iterator[FieldError]:
    given = [name for name in handlers if owner.get(name) is not None]
    for position, name in enumerate(given):
        if position:
            yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")
        else:
            yield from handlers[name](owner[name], f"{path}.{name}", context)
    if not given:
        yield required(path, "must specify a handler type")


def _exec(action: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    if not action.get("command"):
        yield required(f"{path}.command")


def _http_get(action: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from _port(action.get("port"), f"{path}.port")
    yield from one_of(f"{path}.scheme", action.get("scheme"), ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or []:
        name = header.get("name") or ""
        yield from invalid_each(f"{path}.httpHeaders", name, formats.http_header_name(name))


def _tcp_socket(action: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    yield from _port(action.get("port"), f"{path}.port")


def _grpc(action: Object, path: str, _context: PodContext) -> Iterator[FieldError]:
    port = action.get("port") or 0
    yield from invalid_each(f"{path}.port", port, formats.port_number(port))


def _sleep(action: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    seconds = action.get("seconds") or 0
    if not 0 <= seconds <= context.grace_seconds:
        yield invalid(
            path,
            seconds,
            "must be non-negative and less than terminationGracePeriodSeconds "
            f"({context.grace_seconds})",
        )


def _port(value: Any, path: str) -> Iterator[FieldError]:
    value = 0 if value is None else value
    yield from invalid_each(path, value, formats.port(value))


_PROBE_HANDLERS: Final = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _tcp_socket,
    "grpc": _grpc,
}
_HOOK_HANDLERS: Final = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _tcp_socket,
    "sleep": _sleep,
}
