"""Whom a proxied request goes to.

A URL names a pod or service as `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`, and a node as the first
two. Addresses that only this machine could mean (loopback, link-local) are refused: they would
let users reach what listens beside the API server.
"""

import ipaddress
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from control_plane.api.errors import BadRequest, NotFound, ServiceUnavailable
from control_plane.api.objects import Object, dig
from control_plane.api.resources import ENDPOINTS, NODES, PODS, SERVICES
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target

_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Backend:
    """`tls` is for https: False accepts any certificate, as upstream does for pods."""

    scheme: str
    host: str
    port: int
    tls: ssl.SSLContext | bool = False

    @property
    def context(self) -> ssl.SSLContext | None:
        """The TLS settings for a connection of our own; None for http."""
        if self.scheme == "http":
            return None
        return self.tls if isinstance(self.tls, ssl.SSLContext) else _trusting()

    @property
    def authority(self) -> str:
        """The host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL without a path."""
        return f"{self.scheme}://{self.authority}"


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def backend_of(services: ApiServices, target: Target) -> Backend:
    """The backend that a URL means; raises what the client is told."""
    return await _FINDERS[target.resource.plural](services, target)


def split_name(text: str, kind: str) -> tuple[str, str, str]:
    """(scheme, name, port) of a URL's name, "" where absent; raises BadRequest."""
    parts = text.split(":")
    scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts]}.get(len(parts), parts)[:3]
    if len(parts) > 3 or not name or scheme not in ("", "http", "https"):
        raise BadRequest(f'invalid {kind} request "{text}"')
    return scheme or "http", name, port


def port_number(text: str, scheme: str) -> int:
    """A port of a URL, the scheme's own for ""; raises BadRequest."""
    if not text:
        return _DEFAULT_PORTS[scheme]
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536):
        raise BadRequest(f'invalid port "{text}"')
    return int(text)


def check_address(text: str) -> str:
    """The address if requests may go there; raises BadRequest."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadRequest("address not allowed") from None
    is_local = address.is_loopback or address.is_link_local or address.is_unspecified
    if is_local or address.is_multicast or text == "255.255.255.255":
        raise BadRequest("address not allowed")
    return text


async def _pod(services: ApiServices, target: Target) -> Backend:
    scheme, name, port = split_name(target.name, "pod")
    pod = await services.kubelets.pod(target.namespace, name)
    if not port:
        port = str(_first_port(pod) or "")
    host = check_address(dig(pod, "status", "podIP", default=""))
    return Backend(scheme, host, port_number(port, scheme))


def _first_port(pod: Object) -> int | None:
    for container in dig(pod, "spec", "containers", default=[]):
        if container.get("ports"):
            number: int = container["ports"][0]["containerPort"]
            return number
    return None


async def _service(services: ApiServices, target: Target) -> Backend:
    scheme, name, port = split_name(target.name, "service")
    if port.isascii() and port.isdigit():
        port = await _port_name(services, target.namespace, name, int(port))
    endpoints = await services.collections.find(ENDPOINTS, target.namespace, name)
    if endpoints is None:
        raise NotFound.of(ENDPOINTS, name)
    subsets = dig(endpoints, "subsets", default=[])
    for subset in random.sample(subsets, len(subsets)):
        for entry in subset.get("ports") or ():
            if entry.get("name", "") != port:
                continue
            address = await _valid_address(services, target.namespace, subset)
            if address:
                return Backend(scheme, check_address(address), entry["port"])
    raise ServiceUnavailable(f'no endpoints available for service "{name}"')


async def _port_name(services: ApiServices, namespace: str, name: str, number: int) -> str:
    service = await services.collections.find(SERVICES, namespace, name)
    if service is None:
        raise NotFound.of(SERVICES, name)
    for port in dig(service, "spec", "ports", default=[]):
        if port["port"] == number:
            return str(port.get("name", ""))
    raise ServiceUnavailable(f'no service port {number} found for service "{name}"')


async def _valid_address(services: ApiServices, namespace: str, subset: Object) -> str:
    """A ready address that belongs to the pod that it says it does, "" for none.

    Who may write Endpoints must not be able to send the API server to any address.
    """
    addresses = subset.get("addresses") or []
    for address in random.sample(addresses, len(addresses)):
        ref = address.get("targetRef") or {}
        home = ref.get("namespace") or namespace
        pod = await services.collections.find(PODS, home, ref["name"]) if ref.get("name") else None
        if pod is not None and address.get("ip") in _addresses(pod):
            return str(address["ip"])
    return ""


def _addresses(pod: Object) -> list[str]:
    return [entry.get("ip", "") for entry in dig(pod, "status", "podIPs", default=[])]


async def _node(services: ApiServices, target: Target) -> Backend:
    scheme, name, port = split_name(target.name, "node")
    node = await services.collections.find(NODES, "", name)
    if node is None:
        raise NotFound.of(NODES, name)
    host, kubelet_port = services.kubelets.address(node)
    if port in ("", str(kubelet_port)):
        return Backend("https", host, kubelet_port, services.kubelets.tls)
    return Backend(scheme, check_address(host), port_number(port, scheme))


_FINDERS: Mapping[str, Callable[[ApiServices, Target], Awaitable[Backend]]] = {
    "nodes": _node,
    "pods": _pod,
    "services": _service,
}
