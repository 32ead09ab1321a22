"""Whether an aggregated group version can be served: its service, its endpoints, an answer.

Source: the availability controller of kube-aggregator v1.35.
"""

import asyncio

import aiohttp

from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object
from control_plane.api.preparation.api_services import AVAILABLE
from control_plane.api.resources import SERVICES
from control_plane.apiserver.aggregation.identity import with_identity
from control_plane.apiserver.aggregation.remote import Remote
from control_plane.apiserver.aggregation.session import RemoteSession
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.call_failures import why_not_reached
from control_plane.apiserver.service_endpoints import ServiceEndpoints, port_name_of
from control_plane.apiserver.storage.collections import Collections

CHECKER = User("system:kube-aggregator", ("system:masters",))
CALL_SECONDS = 5.0
CALLS = 5  # of which one has to succeed


class AvailabilityChecker:
    """Looks at what a remote group version depends on, then calls it."""

    def __init__(
        self, collections: Collections, endpoints: ServiceEndpoints, session: RemoteSession
    ) -> None:
        """Look into these, call by `session`."""
        self._collections = collections
        self._endpoints = endpoints
        self._session = session

    async def condition(self, remote: Remote, now: str) -> Object:
        """The condition Available of its APIService."""
        reason, message = self._missing(remote) or await self._failure(remote)
        if reason:
            return _condition("False", reason, message, now)
        return _condition("True", "Passed", "all checks passed", now)

    def _missing(self, remote: Remote) -> tuple[str, str] | None:
        name, namespace = remote.service, remote.namespace
        service = self._collections.cached(SERVICES, namespace, name)
        place = f"service/{name} in {quote(namespace)}"
        if service is None:
            return "ServiceNotFound", f"{place} is not present"
        if (service.get("spec") or {}).get("type", "ClusterIP") != "ClusterIP":
            return None  # what is outside says for itself whether it answers
        port_name = port_name_of(service, remote.port)
        if port_name is None:
            return "ServicePortError", f"{place} is not listening on port {remote.port}"
        if not self._endpoints.has_endpoints(namespace, name):
            return "EndpointsNotFound", f"cannot find endpointslices for {place}"
        if not any(self._endpoints.addresses(namespace, name, port_name)):
            text = f"endpointslices for {place} have no addresses with port name {quote(port_name)}"
            return "MissingEndpoints", text
        return None

    async def _failure(self, remote: Remote) -> tuple[str, str]:
        """Why no call succeeds; two empty texts when one does."""
        calls = [asyncio.create_task(self._call(remote)) for _ in range(CALLS)]
        texts: list[str] = []
        try:
            for done in asyncio.as_completed(calls):
                text = await done
                if not text:
                    return "", ""
                texts.append(text)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        return "FailedDiscoveryCheck", texts[0]

    async def _call(self, remote: Remote) -> str:
        url = f"https://{remote.host}:{remote.port}{remote.path}"
        try:
            lines = [(k.decode(), v.decode()) for k, v in with_identity([], CHECKER)]
            async with asyncio.timeout(CALL_SECONDS):
                async with self._session.opened().get(
                    url, headers=lines, ssl=remote.tls, allow_redirects=False
                ) as response:
                    code = response.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            why = why_not_reached(error, remote.host, remote.port)
            return f"failing or missing response from {url}: Get {quote(url)}: {why}"
        if 200 <= code < 300:
            return ""
        return f"failing or missing response from {url}: bad status from {url}: {code}"


def _condition(status: str, reason: str, message: str, now: str) -> Object:
    return {
        "type": AVAILABLE,
        "status": status,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
