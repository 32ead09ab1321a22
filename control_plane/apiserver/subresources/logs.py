"""pods/log: a container's output, streamed from the kubelet as it comes."""

import asyncio
from dataclasses import dataclass

import aiohttp

from control_plane.api.errors import ApiError, BadRequest, InternalError, NotFound
from control_plane.apiserver.http.answer import Reply, Send, head
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.subresources.containers import container_of

CHUNK_BYTES = 64 * 1024
_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = ("tailLines", "limitBytes", "sinceSeconds")
_TEXTS = ("sinceTime", "stream")


async def read(services: ApiServices, request: Request, target: Target) -> Reply:
    """GET: relay the kubelet's answer."""
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
    return LogReply(response)


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
    """Text that ends when the kubelet ends it or the client leaves."""

    response: aiohttp.ClientResponse

    async def send_to(self, request: Request, send: Send) -> None:
        """Relay chunk by chunk; the kubelet is not read faster than the client reads."""
        headers = head(request, "text/plain")
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sender = asyncio.create_task(self._relay(send))
        leaver = asyncio.create_task(request.disconnected())
        try:
            await asyncio.wait((sender, leaver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sender, leaver):
                task.cancel()
            await asyncio.gather(sender, leaver, return_exceptions=True)
            self.response.close()

    async def _relay(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        try:
            async for chunk in self.response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except (aiohttp.ClientError, OSError):
            pass  # the kubelet went away: what came before is all there is
        await send({"type": "http.response.body", "body": b""})
