"""The tables of Services, Endpoints and EndpointSlices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import NONE, UNKNOWN, UNSET, age, labels, with_more

if TYPE_CHECKING:
    from datetime import datetime

_SHOWN_ENDPOINTS = 3


def _service_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        spec.get("type") or "",
        dig(spec, "clusterIPs", 0, default="") or NONE,
        external_ip(obj),
        ",".join(map(_service_port, spec.get("ports") or [])) or NONE,
        age(obj, now),
        labels(spec.get("selector")),
    ]


def external_ip(service: Object) -> str:
    """Return where a service is reached from outside.

    "<pending>" while a load balancer has no address.
    """
    spec = service.get("spec") or {}
    given = spec.get("externalIPs") or []
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(given) or NONE
        case "LoadBalancer":
            return ",".join([*_load_balancer_addresses(service), *given]) or "<pending>"
        case "ExternalName":
            return spec.get("externalName") or ""
    return UNKNOWN


def _load_balancer_addresses(service: Object) -> list[str]:
    points = dig(service, "status", "loadBalancer", "ingress", default=[])
    return sorted({address for p in points if (address := p.get("ip") or p.get("hostname"))})


def _service_port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node_port}/{port.get('protocol', 'TCP')}"


def _endpoints_cells(obj: Object, now: datetime) -> list[Any]:
    addresses = [text for subset in obj.get("subsets") or [] for text in _subset(subset)]
    return [name_of(obj), with_more(addresses, _SHOWN_ENDPOINTS, NONE), age(obj, now)]


def _subset(subset: Object) -> list[str]:
    """Return every ready address with every port, bare addresses where there are no ports."""
    addresses = [address.get("ip", "") for address in subset.get("addresses") or []]
    ports = subset.get("ports") or []
    if not ports:
        return addresses
    return [_host_port(ip, port.get("port", 0)) for port in ports for ip in addresses]


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _slice_cells(obj: Object, now: datetime) -> list[Any]:
    ports = [_slice_port(port) for port in obj.get("ports") or []]
    endpoints = obj.get("endpoints") or []
    addresses = [address for point in endpoints for address in point.get("addresses") or []]
    return [
        name_of(obj),
        obj.get("addressType") or "",
        with_more(ports, _SHOWN_ENDPOINTS, UNSET),
        with_more(addresses, _SHOWN_ENDPOINTS, UNSET),
        age(obj, now),
    ]


def _slice_port(port: Object) -> str:
    number, name = port.get("port"), port.get("name")
    if number is not None:
        return str(number)
    return str(name) if name is not None else "*"


SERVICES = View(
    (
        NAME,
        Column("Type", doc="core.v1.ServiceSpec.type"),
        Column("Cluster-IP", doc="core.v1.ServiceSpec.clusterIP"),
        Column("External-IP", text="Where the service is reached from outside the cluster."),
        Column("Port(s)", doc="core.v1.ServiceSpec.ports"),
        AGE,
        Column("Selector", priority=WIDE, doc="core.v1.ServiceSpec.selector"),
    ),
    _service_cells,
)
ENDPOINTS = View(
    (NAME, Column("Endpoints", doc="core.v1.Endpoints.subsets"), AGE), _endpoints_cells
)
ENDPOINTSLICES = View(
    (
        NAME,
        Column("AddressType", doc="discovery.v1.EndpointSlice.addressType"),
        Column("Ports", doc="discovery.v1.EndpointSlice.ports"),
        Column("Endpoints", doc="discovery.v1.EndpointSlice.endpoints"),
        AGE,
    ),
    _slice_cells,
)
