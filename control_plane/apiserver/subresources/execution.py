"""pods/exec and pods/attach: a process's streams, between the client and the pod's kubelet."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from control_plane.api.errors import BadRequest
from control_plane.apiserver.http.answer import Reply
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources.connecting import admit_connection
from control_plane.apiserver.subresources.containers import container_of
from control_plane.apiserver.subresources.upgrade_relay import (
    authorize_stream,
    relayed_to_kubelet,
)

# The API's names of the streams, and the kubelet's.
_STREAMS: Mapping[str, str] = {
    "stdin": "input",
    "stdout": "output",
    "stderr": "error",
    "tty": "tty",
}


async def execute(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET or POST with an upgrade: run a command in a container."""
    return await _connect(services, request, target, exec_parameters)


async def attach(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET or POST with an upgrade: join a container's main process."""
    return await _connect(services, request, target, stream_parameters)


def exec_parameters(query: Query) -> list[tuple[str, str]]:
    """The kubelet's parameters; raises BadRequest when no stream or no command is asked for."""
    streams = stream_parameters(query)
    if not query.texts("command"):
        raise BadRequest("you must specify at least one command for the container")
    return [*(("command", word) for word in query.texts("command")), *streams]


def stream_parameters(query: Query) -> list[tuple[str, str]]:
    """The kubelet's names of the streams; raises BadRequest for none. A terminal has no stderr."""
    wanted = [(name, their) for name, their in _STREAMS.items() if query.flag(name)]
    if not wanted:
        raise BadRequest("you must specify at least 1 of stdin, stdout, stderr")
    has_terminal = query.flag("tty")
    return [(their, "1") for name, their in wanted if not (name == "stderr" and has_terminal)]


async def _connect(
    services: ApiServices,
    request: Request,
    target: Target,
    parameters_of: Callable[[Query], list[tuple[str, str]]],
) -> Reply:
    authorize_stream(services, request, target)
    await admit_connection(services, request, target)
    parameters = parameters_of(request.query)
    pod = await services.kubelets.pod(target.namespace, target.name)
    container = container_of(pod, request.query.text("container"))
    base = await services.kubelets.base_url(pod)
    path = f"{target.subresource}/{target.namespace}/{target.name}/{container}"
    return await relayed_to_kubelet(services, request, f"{base}/{path}?{urlencode(parameters)}")
