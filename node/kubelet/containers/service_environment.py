"""The environment variables that tell a container of the services in its namespace. Pure.

Called by container_config.py. Services without a cluster IP have none; `default/kubernetes` is
always told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.objects import Object


def service_environment(pod: Object, services: Iterable[Object]) -> dict[str, str]:
    """Return the variables of the services this pod may see (enableServiceLinks)."""
    namespace = pod["metadata"].get("namespace", "")
    links = pod["spec"].get("enableServiceLinks", True)
    variables: dict[str, str] = {}
    own: dict[str, str] = {}
    for service in services:
        meta = service["metadata"]
        if (meta.get("namespace"), meta["name"]) == ("default", "kubernetes"):
            variables |= _variables(service)
        elif links and meta.get("namespace") == namespace:
            own |= _variables(service)
    return variables | own


def _variables(service: Object) -> dict[str, str]:
    spec = service["spec"]
    address, ports = spec.get("clusterIP"), spec.get("ports") or ()
    if not address or address == "None" or not ports:
        return {}
    name = service["metadata"]["name"].upper().replace("-", "_")
    host = f"[{address}]" if ":" in address else address
    first = f"{_protocol(ports[0])}://{host}:{ports[0]['port']}"
    variables = {
        f"{name}_SERVICE_HOST": address,
        f"{name}_SERVICE_PORT": str(ports[0]["port"]),
        f"{name}_PORT": first,
    }
    for port in ports:
        if port.get("name"):
            label = port["name"].upper().replace("-", "_")
            variables[f"{name}_SERVICE_PORT_{label}"] = str(port["port"])
        prefix = f"{name}_PORT_{port['port']}_{_protocol(port).upper()}"
        variables |= {
            prefix: f"{_protocol(port)}://{host}:{port['port']}",
            f"{prefix}_PROTO": _protocol(port),
            f"{prefix}_PORT": str(port["port"]),
            f"{prefix}_ADDR": address,
        }
    return variables


def _protocol(port: Object) -> str:
    return str(port.get("protocol") or "TCP").lower()
