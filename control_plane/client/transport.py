"""HTTP to one API server: connections, credentials, JSON bodies, errors. Knows no resource.

Used by client.py only. Plain requests and watches have connection pools of their own, so that any
number of watches (one connection each, for minutes) never starves requests.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import orjson

from control_plane.api.errors import ApiError, from_status
from control_plane.client.certificate_files import LOOK_SECONDS, CertificateFiles
from control_plane.client.config import ClientConfig

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_SECONDS = 65.0  # the server itself gives up after 60
CONNECT_TIMEOUT_SECONDS = 10.0
MAX_CONNECTIONS = 128  # requests beyond these wait for a free one
MAX_RETRIES = 10  # after answers that carry Retry-After, as other clients do
UNAUTHORIZED = 401
_UNAVAILABLE = (aiohttp.ClientError, TimeoutError, ssl.SSLError, ConnectionError)


class ApiUnavailable(OSError):
    """The API server could not be reached, or the connection broke before the answer was whole.

    Whether the request had an effect is not known.
    """


class TokenSource(Protocol):
    """Where bearer tokens come from that do not last."""

    async def get(self) -> str:
        """The token to show now."""

    def forget(self, token: str, /) -> None:
        """The server did not believe this one."""


class Transport:
    """Connections to one API server; open with `async with`."""

    def __init__(
        self, config: ClientConfig, user_agent: str, token: TokenSource | None = None
    ) -> None:
        """Prepare only; nothing is opened before `__aenter__`."""
        self._config = config
        self._token = token
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        if config.token:
            self._headers["Authorization"] = f"Bearer {config.token}"
        self._tls: ssl.SSLContext | None = None
        self._following: asyncio.Task[None] | None = None
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    def use(self, config: ClientConfig) -> None:
        """Show the certificate of `config` on new connections; raises ConfigError."""
        self._config = config
        if self._tls is not None:
            config.show_certificate(self._tls)

    async def __aenter__(self) -> "Transport":
        """Open the two connection pools."""
        self._tls = self._config.ssl_context()
        self._requests = self._session(MAX_CONNECTIONS)
        self._watches = self._session(0)
        if self._config.source is not None and self._config.certificate_pem:
            files = CertificateFiles((self._config.source,), self._read_again)
            self._following = asyncio.create_task(self._follow(files), name="kubeconfig")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection, those of running watches too."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        for session in (self._requests, self._watches):
            if session is not None:
                await session.close()

    async def _follow(self, files: CertificateFiles) -> None:
        """Make new connections with the certificate that the kubeconfig has now."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if files.look():
                old, self._requests = self._requests, self._session(MAX_CONNECTIONS)
                try:
                    await asyncio.sleep(REQUEST_TIMEOUT_SECONDS)  # for what is on its way
                finally:
                    if old is not None:
                        await old.close()

    def _read_again(self) -> None:
        self.use(ClientConfig.from_kubeconfig(self._config.source or ""))

    def _session(self, limit: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=limit, ssl=True if self._tls is None else self._tls)
        timeout = aiohttp.ClientTimeout(
            total=REQUEST_TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS
        )
        return aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=self._headers, auto_decompress=True
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> bytes:
        """Send one request and return the body of a 2xx answer.

        `path` begins with a slash; `body` is anything JSON, or None for no body. An answer with a
        Retry-After header (429, 5xx) is waited for and tried again, ten times at most. Raises an
        ApiError for any other answer, ApiUnavailable when there is none.
        """
        is_new = False
        for retries_left in range(MAX_RETRIES, -1, -1):
            token = await self._token.get() if self._token is not None else ""
            status, headers, content = await self._send(
                method, path, params, body, content_type, token
            )
            if status < 300:
                return content
            if status == UNAUTHORIZED and self._token is not None and not is_new:
                self._token.forget(token)
                is_new = True
                continue
            if (wait := retry_after(status, headers)) is None or not retries_left:
                break
            log.debug("retry method=%s path=%s status=%d seconds=%d", method, path, status, wait)
            await asyncio.sleep(wait)
        raise error_from(status, content, f"{method} {path}")

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Any,
        content_type: str,
        token: str,
    ) -> tuple[int, Mapping[str, str], bytes]:
        data = None if body is None else orjson.dumps(body)
        headers = {} if data is None else {"Content-Type": content_type}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        session = _opened(self._requests)
        try:
            async with session.request(
                method,
                self._config.server + path,
                params=params,
                data=data,
                headers=headers,
                server_hostname=self._config.tls_server_name or None,
            ) as response:
                return response.status, response.headers, await response.read()
        except _UNAVAILABLE as error:
            raise unavailable(self._config.server, error) from error

    @asynccontextmanager
    async def stream(
        self, path: str, params: Mapping[str, str], timeout_seconds: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET `path` and yield the answer's body as it comes, cut where the network cut it.

        The whole may take `timeout_seconds`; after that ApiUnavailable is raised.
        """
        timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_TIMEOUT_SECONDS)
        session = _opened(self._watches)
        headers = {}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {await self._token.get()}"
        try:
            async with session.get(
                self._config.server + path,
                params=params,
                headers=headers,
                timeout=timeout,
                server_hostname=self._config.tls_server_name or None,
            ) as response:
                if response.status != 200:
                    raise error_from(response.status, await response.read(), f"GET {path}")
                yield response.content.iter_any()
        except _UNAVAILABLE as error:
            raise unavailable(self._config.server, error) from error


def _opened(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if session is None:
        raise RuntimeError("the client is not open: use it in an 'async with' statement")
    return session


def retry_after(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the seconds after which the server asks to try again, or None."""
    text = headers.get("Retry-After", "")
    if (status == 429 or status >= 500) and text.isdigit():
        return int(text)
    return None


def error_from(status: int, content: bytes, request: str) -> ApiError:
    """Make the ApiError that an answer stands for, also when it carries no Status object."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and body.get("kind") == "Status":
        return from_status(body)
    text = content[:200].decode(errors="replace").strip()
    return from_status(
        {
            "kind": "Status",
            "status": "Failure",
            "code": status,
            "reason": _REASONS.get(status, ""),
            "message": f"the server answered {status} to {request}: {text}",
        }
    )


_REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound",
    405: "MethodNotAllowed", 406: "NotAcceptable", 409: "Conflict", 410: "Gone",
    413: "RequestEntityTooLarge", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}  # fmt: skip


def unavailable(server: str, error: BaseException) -> ApiUnavailable:
    """Say in one line that `server` did not answer, and why."""
    reason = str(error) or type(error).__name__
    return ApiUnavailable(f"the API server at {server} did not answer: {reason}")
