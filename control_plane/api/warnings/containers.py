"""Containers that hide one another's ports and variables, or ask for parts of bytes.

Called by pod_specs.py. Source: v1.35 pod warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api import quantity
from control_plane.api.go_syntax import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object

_BYTES: Final = ("memory", "ephemeral-storage")
_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
Placed = tuple[str, "Object"]


def containers_of(spec: Object, path: str) -> list[Placed]:
    """Return every container of a pod spec with its path."""
    return [
        (f"{path}.{field}[{index}]", container)
        for field in _LISTS
        for index, container in enumerate(spec.get(field) or ())
    ]


def warn_of_fractions(amounts: Object | None, names: tuple[str, ...], path: str) -> Iterator[str]:
    """Warn of amounts of bytes that are not whole."""
    for name in names:
        amount = (amounts or {}).get(name)
        if amount is not None and quantity.milli(str(amount)) % 1000:
            yield (
                f"{path}[{name}]: fractional byte value {quote(str(amount))} is invalid, "
                "must be an integer"
            )


def warn_of_resources(container: Object, path: str) -> Iterator[str]:
    """Warn of fractions in what a container asks for."""
    resources = container.get("resources") or {}
    for name in _BYTES:
        for field in ("limits", "requests"):
            yield from warn_of_fractions(resources.get(field), (name,), f"{path}.resources.{field}")


def warn_of_overhead(spec: Object, path: str) -> Iterator[str]:
    """Warn of fractions in the overhead of a pod."""
    yield from warn_of_fractions(spec.get("overhead"), _BYTES, f"{path}.overhead")


def warn_of_environment(container: Object, path: str) -> Iterator[str]:
    """Warn of variables that replace an earlier one of the same name."""
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name") or "", variable.get("value") or ""
        reference = f"$({name})"
        extends = reference in value and value != reference and not variable.get("valueFrom")
        if name in seen and not extends:
            yield (
                f"{path}.env[{index}]: hides previous definition of {quote(name)}, which may be "
                "dropped when using apply"
            )
        seen.add(name)


def warn_of_ports(containers: list[Placed]) -> Iterator[str]:
    """Warn of ports that the containers of a pod define twice."""
    seen: dict[tuple[int, str], list[Placed]] = {}
    for where, port in _ports(containers):
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{where}: hostIP set without hostPort: {_shown(port)}"
        others = seen.setdefault((port.get("containerPort") or 0, port.get("protocol") or ""), [])
        for place, other in others:
            problem = _conflict(port, other)
            if problem:
                yield f"{where}: {problem} port definition with {place}"
        others.append((where, port))
    yield from _warn_of_names(containers)


def _ports(containers: list[Placed]) -> Iterator[Placed]:
    for path, container in containers:
        for index, port in enumerate(container.get("ports") or ()):
            yield f"{path}.ports[{index}]", port


def _conflict(port: Object, other: Object) -> str:
    addresses = [one.get("hostIP") or "" for one in (port, other)]
    numbers = [one.get("hostPort") or 0 for one in (port, other)]
    if addresses[0] == addresses[1] and numbers[0] == numbers[1]:
        return "duplicate"
    if not all(numbers):
        return "overlapping"
    if numbers[0] == numbers[1] and not all(addresses):
        return "dangerously ambiguous"
    return ""


def _warn_of_names(containers: list[Placed]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for where, port in _ports(containers):
        name = port.get("name")
        if name and name in seen:
            yield (
                f"{where}: duplicate port name {quote(name)} with {seen[name]}, services and "
                f"probes that select ports by name will use {seen[name]}"
            )
        elif name:
            seen[name] = where


def _shown(port: Object) -> str:
    """A port as upstream prints the struct."""
    members: tuple[tuple[str, Any], ...] = (
        ("Name", port.get("name") or ""),
        ("HostPort", port.get("hostPort") or 0),
        ("ContainerPort", port.get("containerPort") or 0),
        ("Protocol", port.get("protocol") or ""),
        ("HostIP", port.get("hostIP") or ""),
    )
    return f"{{{' '.join(f'{name}:{value}' for name, value in members)}}}"
