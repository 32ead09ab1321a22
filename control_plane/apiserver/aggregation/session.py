"""Connections to the servers behind aggregated group versions.

Each request has one of its own, like those of the proxy subresources: one that is kept may be
closed by the other side just when it is used again.
"""

import aiohttp

from control_plane.apiserver.service_endpoints import ServiceEndpoints, ServiceResolver

CONNECT_SECONDS = 10


class RemoteSession:
    """One session for all, opened at its first use."""

    def __init__(self, endpoints: ServiceEndpoints) -> None:
        """Find services by `endpoints`."""
        self._endpoints = endpoints
        self._session: aiohttp.ClientSession | None = None

    def opened(self) -> aiohttp.ClientSession:
        """The session; no time limit but for connecting."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                force_close=True,
                resolver=ServiceResolver(self._endpoints),
                use_dns_cache=False,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
