"""pods/log: a container's output, streamed from the kubelet as it comes."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aiohttp

from control_plane.api.errors import ApiError, BadRequest, InternalError, Invalid, NotFound
from control_plane.api.field_error import FieldError, forbidden, invalid
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
_LEAST = {"tailLines": 0, "limitBytes": 1, "sinceSeconds": 1}
_TOO_SMALL = ("must be greater than or equal to 0", "must be greater than 0")
_ONE_SINCE = "at most one of `sinceTime` or `sinceSeconds` may be specified"


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET: relay the kubelet's answer."""
    if request.is_socket:
        log_protocol(request.subprotocols)
    parameters = kubelet_parameters(target.name, request.query)
    pod = await services.kubelets.pod(target.namespace, target.name)
    container = container_of(pod, request.query.text("container"))
    base = await services.kubelets.base_url(pod)
    url = f"{base}/containerLogs/{target.namespace}/{target.name}/{container}"
    insecure = request.query.flag("insecureSkipTLSVerifyBackend")
    trust = services.kubelets.unverified() if insecure else services.kubelets.tls
    try:
        response = await services.kubelets.session.get(url, params=parameters, ssl=trust)
    except (aiohttp.ClientError, OSError) as error:
        raise InternalError.of(f"Get {url!r}: {error}") from error
    if response.status != 200:
        async with response:
            raise _refusal(response.status, (await response.text()).strip())
    reply = LogReply(response, services.kubelets.streams)
    return log_socket(reply, request) if request.is_socket else reply


class _Options:
    """What an Invalid error needs to know of the options."""

    group, kind = "", "PodLogOptions"


def kubelet_parameters(pod: str, query: Query) -> dict[str, str]:
    """The parameters to pass on; raises BadRequest for what is no number, Invalid for bad ones."""
    parameters = {name: "true" for name in _FLAGS if query.flag(name)}
    numbers = {name: query.number(name) for name in _LEAST}
    errors = list(_objections(numbers, query.text("sinceTime")))
    if errors:
        raise Invalid.of(_Options(), pod, errors)
    parameters |= {name: str(value) for name, value in numbers.items() if value is not None}
    return parameters | {name: query.text(name) for name in ("sinceTime",) if query.text(name)}


def _objections(numbers: Mapping[str, int | None], since: str) -> Iterator[FieldError]:
    """What upstream's validation of the options says; it names the field that is none "[]"."""
    for name, least in _LEAST.items():
        value = numbers[name]
        if name == "sinceSeconds" and value is not None and since:
            yield forbidden("[]", _ONE_SINCE)
        elif value is not None and value < least:
            yield invalid(name, value, _TOO_SMALL[least])


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
