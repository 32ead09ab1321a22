"""Connections before admission: exec, attach, port forward and proxy, each as its options.

Source: the connect handler of the generic API server and the options types of core/v1, Kubernetes
v1.35.
"""

from collections.abc import Callable, Mapping

from control_plane.api.objects import Object
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_without_options

_STREAMS = ("stdin", "stdout", "stderr", "tty")


async def admit_connection(services: ApiServices, request: Request, target: Target) -> None:
    """Let admission see and refuse the connection; raises what it answers."""
    review = Review(
        target.resource,
        Operation.CONNECT,
        target.namespace if target.resource.namespaced else "",
        connection_options(target, request.query),
        None,
        call_without_options(request),
        target.subresource,
        target.name,
    )
    await services.registry.admit(review)


def connection_options(target: Target, query: Query) -> Object:
    """The options object that a URL stands for; what is not asked for is left out."""
    suffix, fields = _OPTIONS[target.subresource]
    given = {name: value for name, value in fields(target, query).items() if value}
    return {"kind": f"{target.resource.kind}{suffix}", "apiVersion": "v1", **given}


def _attach(_target: Target, query: Query) -> Object:
    return {name: query.flag(name) for name in _STREAMS} | {"container": query.text("container")}


def _exec(target: Target, query: Query) -> Object:
    return _attach(target, query) | {"command": query.texts("command")}


def _port_forward(_target: Target, query: Query) -> Object:
    ports = ",".join(query.texts("ports")).split(",")
    return {"ports": [int(port) for port in ports if port.isascii() and port.isdigit()]}


def _proxy(target: Target, _query: Query) -> Object:
    return {"path": target.proxy_path.removeprefix("/")}


_OPTIONS: Mapping[str, tuple[str, Callable[[Target, Query], Object]]] = {
    "attach": ("AttachOptions", _attach),
    "exec": ("ExecOptions", _exec),
    "portforward": ("PortForwardOptions", _port_forward),
    "proxy": ("ProxyOptions", _proxy),
}
