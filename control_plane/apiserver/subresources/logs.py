"""pods/log: a container's output, streamed from the kubelet as it comes."""

import asyncio
import logging
from dataclasses import dataclass

import aiohttp

from control_plane.api.errors import ApiError, BadRequest, InternalError, NotFound
from control_plane.apiserver.http.answer import Reply, Send, head
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.socket_reply import log_protocol, log_socket
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.proxying.relay import run_relay
from control_plane.apiserver.subresources.containers import container_of

logger = logging.getLogger(__name__)

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = ("tailLines", "limitBytes", "sinceSeconds")
_TEXTS = ("sinceTime", "stream")


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET: relay the kubelet's answer."""
    if request.is_socket:
        log_protocol(request.subprotocols)
    parameters = kubelet_parameters(request.query)
    pod = await services.kubelets.pod(target.namespace, target.name)
    container = container_of(pod, request.query.text("container"))
    base = await services.kubelets.base_url(pod)
    url = f"{base}/containerLogs/{target.namespace}/{target.name}/{container}"
    try:
        response = await services.kubelets.session.get(url, params=parameters)
    except (aiohttp.ClientError, OSError) as error:
        raise InternalError.of(f"Get {url!r}: {error}") from error
    if response.status != 200:
        async with response:
            raise _refusal(response.status, (await response.text()).strip())
    reply = LogReply(response, services.kubelets.streams)
    return log_socket(reply, request) if request.is_socket else reply


def kubelet_parameters(query: Query) -> dict[str, str]:
    """The parameters to pass on, checked; raises BadRequest."""
    parameters = {name: "true" for name in _FLAGS if query.flag(name)}
    for name in _NUMBERS:
        number = query.number(name)
        if number is None:
            continue
        if number < (1 if name == "limitBytes" else 0):
            raise BadRequest(f"{name} must not be negative, and limitBytes must be positive")
        parameters[name] = str(number)
    if "sinceSeconds" in parameters and query.text("sinceTime"):
        raise BadRequest("at most one of sinceTime or sinceSeconds may be specified")
    return parameters | {name: query.text(name) for name in _TEXTS if query.text(name)}


def _refusal(status: int, text: str) -> ApiError:
    if status == 404:
        return NotFound(text or "the container's log was not found")
    if status == 400:
        return BadRequest(text)
    return InternalError.of(f"the kubelet answered {status}: {text}")


@dataclass(frozen=True, slots=True)
class LogReply:
    """Text that ends when the kubelet ends it, the client leaves, or the server stops."""

    response: aiohttp.ClientResponse
    streams: set[asyncio.Task[None]]

    async def send_to(self, request: Request, send: Send) -> None:
        """Relay chunk by chunk; the kubelet is not read faster than the client reads."""
        request.release_seat()
        headers = head(request, "text/plain")
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if await run_relay(self.streams, self._relay(send), request):
                await send({"type": "http.response.body", "body": b""})
        finally:
            self.response.close()

    async def _relay(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        try:
            async for chunk in self.response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (aiohttp.ClientError, OSError) as error:
            # What came before is all there is.
            logger.info("the kubelet broke off a log: %s", error)
