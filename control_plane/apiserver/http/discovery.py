"""Discovery, OpenAPI and version documents over HTTP, encoded once.

Source: Kubernetes v1.35; clients decide by the content type whether discovery is aggregated.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from control_plane.api import discovery
from control_plane.api.resources import ResourceSet
from control_plane.apiserver.http.accept import JSON, Accepted, Forms, negotiate
from control_plane.apiserver.http.answer import (
    Answer,
    Reply,
    encoded_answer,
    negotiated_answer,
    text_answer,
)
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.version import VERSION

if TYPE_CHECKING:
    from control_plane.api.objects import Object

AGGREGATED: Forms = frozenset({("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2")})
_PARAMETERS = discovery.AGGREGATED_MEDIA_TYPE.removeprefix(JSON)
_AGGREGATES = {"/api": discovery.aggregated_core, "/apis": discovery.aggregated_groups}
_NOT_FOUND = "404 page not found\n"


class Discovery:
    """Answers about what is served."""

    def __init__(self, served: Callable[[], ResourceSet], address: str) -> None:
        """`served` tells what is served; `address` is "host:port" as others reach this server."""
        self._served = served
        self._address = address
        self._known: ResourceSet | None = None
        self._aggregated: dict[str, bytes] = {}

    @property
    def _resources(self) -> ResourceSet:
        return self._served()

    def _document(self, root: str) -> bytes:
        """The aggregated document of /api or /apis, made anew when what is served has changed."""
        resources = self._served()
        if resources is not self._known:
            self._known, self._aggregated = resources, {}
        if root not in self._aggregated:
            made = _AGGREGATES[root](resources)
            self._aggregated[root] = orjson.dumps(made)
        return self._aggregated[root]

    @property
    def resources(self) -> ResourceSet:
        """What this server itself serves."""
        return self._resources

    async def core(self, request: Request) -> Reply:
        """GET /api."""
        accepted = negotiate(request.header(b"accept"), forms=AGGREGATED)
        if accepted.form:
            return tagged(self._document("/api"), accepted, request)
        return negotiated_answer(discovery.core_versions(self._address), request)

    async def groups(self, request: Request) -> Reply:
        """GET /apis."""
        accepted = negotiate(request.header(b"accept"), forms=AGGREGATED)
        if accepted.form:
            return tagged(self._document("/apis"), accepted, request)
        return negotiated_answer(discovery.group_list(self._resources), request)

    async def group_or_version(self, request: Request) -> Reply:
        """GET /api/VERSION, /apis/GROUP and /apis/GROUP/VERSION."""
        root, *rest = request.path.strip("/").split("/")
        document: Object | None
        if root == "api":
            document = discovery.resource_list(self._resources, "", rest[0])
        elif len(rest) == 1:
            document = discovery.group(self._resources, rest[0])
        else:
            document = discovery.resource_list(self._resources, rest[0], rest[1])
        if document is None:
            return text_answer(_NOT_FOUND, 404)
        return negotiated_answer(document, request)


async def version(request: Request) -> Reply:
    """GET /version."""
    body = orjson.dumps(VERSION, option=orjson.OPT_INDENT_2)
    return Answer(200, body)


def tagged(body: bytes, accepted: Accepted, request: Request) -> Answer:
    """An aggregated document; clients may keep it, and ask about it by its ETag."""
    tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    headers = ((b"etag", tag.encode()), (b"vary", b"Accept"), (b"cache-control", b"public"))
    media_type = accepted.media_type + _PARAMETERS
    if request.header(b"if-none-match") == tag:
        return Answer(304, b"", media_type, headers)
    answer = Answer(200, body)
    if accepted.media_type != JSON:
        answer = encoded_answer(body, accepted, request)
    return dataclasses.replace(answer, media_type=media_type, headers=headers)
