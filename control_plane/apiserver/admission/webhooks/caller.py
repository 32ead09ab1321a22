"""Calls webhooks over connections that are kept, no more than MAX_CONNECTIONS at a time."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import orjson
from yarl import URL

from control_plane.api.errors import BadRequest
from control_plane.api.go_syntax import quote
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.admission_request import admission_request, is_dry_run
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.answer import (
    GROUP,
    KIND,
    BadAnswerError,
    UnreadableAnswerError,
    Verdict,
    read_verdict,
)
from control_plane.apiserver.admission.webhooks.hook import VERSIONS, Hook
from control_plane.apiserver.call_failures import why_not_reached, why_refused
from control_plane.apiserver.service_endpoints import ServiceEndpoints, ServiceResolver

MAX_CONNECTIONS = 200
MAX_CONNECTIONS_PER_HOST = 50
KEPT_SECONDS = 60.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, */*",
    "User-Agent": "kube-apiserver-admission",
}


@dataclass
class CallError(Exception):
    """A webhook that could not be asked; `code` is what its server answered, 0 for nothing."""

    hook: Hook
    reason: str
    code: int = 0

    def __str__(self) -> str:
        return f"failed calling webhook {quote(self.hook.name)}: {self.reason}"


class WebhookCaller:
    """Asks one webhook about one write."""

    def __init__(self, endpoints: ServiceEndpoints) -> None:
        """Find services by `endpoints`; nothing is opened before the first call."""
        self._endpoints = endpoints
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self, hook: Hook, review: Review, seen_as: Resource, *, is_mutating: bool
    ) -> Verdict:
        """The verdict; raises CallError, or BadRequest for a dry run that the webhook cannot do."""
        if hook.has_side_effects and is_dry_run(review):
            raise BadRequest(f"admission webhook {quote(hook.name)} does not support dry run")
        if not hook.version:
            known = ", ".join(VERSIONS)
            why = f"webhook does not accept known AdmissionReview versions ({known})"
            raise CallError(hook, f"could not create admission objects: {why}")
        uid = str(uuid.uuid4())
        request = admission_request(review, seen_as, uid)
        body = orjson.dumps(
            {"kind": KIND, "apiVersion": f"{GROUP}/{hook.version}", "request": request}
        )
        answer = await self._post(hook, body)
        try:
            return read_verdict(answer, uid, hook.version, is_mutating=is_mutating)
        except UnreadableAnswerError as error:
            raise CallError(hook, f"failed to call webhook: {error}") from error
        except BadAnswerError as error:
            raise CallError(hook, f"received invalid webhook response: {error}", 500) from error

    async def _post(self, hook: Hook, body: bytes) -> bytes:
        try:
            tls = hook.tls
        except ValueError as error:
            raise CallError(hook, f"could not get REST client: {error}") from error
        url = f"{hook.url}?timeout={hook.timeout_seconds}s"
        host, port = "", 443
        try:
            parts = URL(url)
            host, port = parts.host or "", parts.port or port
            async with asyncio.timeout(hook.timeout_seconds):
                code, answer = await self._exchange(parts, body, tls, _headers(hook))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            why = why_not_reached(error, host, port)
            reason = f"failed to call webhook: Post {quote(url)}: {why}"
            raise CallError(hook, reason) from error
        if code != 200:
            why = why_refused(code, answer)
            raise CallError(hook, f"failed to call webhook: {why}", code)
        return answer

    async def _exchange(
        self, url: URL, body: bytes, tls: object, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Post, once more when the server had closed the connection that was kept."""
        try:
            return await self._once(url, body, tls, headers)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            return await self._once(url, body, tls, headers)

    async def _once(
        self, url: URL, body: bytes, tls: object, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        call = self._opened().post(
            url,
            data=body,
            headers=headers,
            ssl=tls,  # type: ignore[arg-type]
            allow_redirects=False,
        )
        async with call as response:
            answer = bytearray()
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise ValueError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
            return response.status, bytes(answer)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS,
                limit_per_host=MAX_CONNECTIONS_PER_HOST,
                keepalive_timeout=KEPT_SECONDS,
                resolver=ServiceResolver(self._endpoints),
                use_dns_cache=False,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _headers(hook: Hook) -> Mapping[str, str]:
    token = hook.identity.token if hook.identity is not None else ""
    return {**_HEADERS, "Authorization": f"Bearer {token}"} if token else _HEADERS
