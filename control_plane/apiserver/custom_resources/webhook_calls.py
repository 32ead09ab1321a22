"""Calls conversion webhooks, over connections that are kept."""

import asyncio
import base64
import binascii
import functools
import ssl

import aiohttp
from yarl import URL

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.call_failures import why_not_reached
from control_plane.apiserver.custom_resources.conversion import WebhookConverter
from control_plane.apiserver.service_endpoints import ServiceEndpoints, ServiceResolver

SECONDS = 30.0
MAX_CONNECTIONS = 50
MAX_BUNDLES = 64
MAX_ANSWER_BYTES = 32 * 1024 * 1024
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json, */*"}


class ConversionCaller:
    """Posts reviews to what definitions name."""

    def __init__(self, endpoints: ServiceEndpoints) -> None:
        """Find services by `endpoints`; nothing is opened before the first call."""
        self._endpoints = endpoints
        self._session: aiohttp.ClientSession | None = None

    def converter(self, resource: Resource) -> WebhookConverter | None:
        """The converter of a custom resource; None where no webhook is wanted."""
        kind = resource.custom
        if kind is None or not kind.definition.converts_by_webhook:
            return None
        return WebhookConverter(resource, kind, self.call)

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def call(self, config: Object, body: bytes) -> bytes:
        """Post a body to a client configuration; raises OSError, TimeoutError or ValueError."""
        url = config.get("url") or _service_url(config.get("service") or {})
        try:
            async with asyncio.timeout(SECONDS):
                return await self._post(url, body, _tls(config.get("caBundle")))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            parts = URL(url)
            why = why_not_reached(error, parts.host or "", parts.port or 443)
            raise ValueError(f'Post "{url}?timeout=30s": {why}') from error

    async def _post(self, url: str, body: bytes, tls: ssl.SSLContext) -> bytes:
        call = self._opened().post(
            f"{url}?timeout=30s", data=body, headers=_HEADERS, ssl=tls, allow_redirects=False
        )
        async with call as response:
            answer = await response.content.read(MAX_ANSWER_BYTES)
            while chunk := await response.content.read(MAX_ANSWER_BYTES):
                answer += chunk
                if len(answer) > MAX_ANSWER_BYTES:
                    raise ValueError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
            if response.status != 200:
                raise ValueError(f"the server answered {response.status}: {response.reason}")
            return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=MAX_CONNECTIONS,
                    resolver=ServiceResolver(self._endpoints),
                    use_dns_cache=False,
                ),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _service_url(service: Object) -> str:
    place = f"{service.get('name')}.{service.get('namespace')}.svc:{service.get('port') or 443}"
    return f"https://{place}/{(service.get('path') or '').removeprefix('/')}"


@functools.lru_cache(maxsize=MAX_BUNDLES)
def _tls(bundle: str | None) -> ssl.SSLContext:
    """Whom to trust; the same context for the same bundle, as a connection is kept for its own."""
    if not bundle:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError) as error:
        raise ValueError(f"unable to load root certificates: {error}") from error
