"""Discovery and OpenAPI over HTTP with what other servers serve; without these, as it was."""

from collections.abc import Callable

import orjson

from control_plane.api import discovery as own
from control_plane.apiserver.aggregation.documents import RemoteDocuments
from control_plane.apiserver.aggregation.merging import (
    merged_discovery,
    merged_group,
    merged_groups,
)
from control_plane.apiserver.aggregation.remote import Remote
from control_plane.apiserver.http.accept import negotiate
from control_plane.apiserver.http.answer import Answer, Reply, json_answer, negotiated_answer
from control_plane.apiserver.http.discovery import AGGREGATED, Discovery, tagged
from control_plane.apiserver.http.openapi_routes import OpenApi
from control_plane.apiserver.http.request import Request

_OPENAPI = "/openapi/v3"


class JoinedDocuments:
    """Answers about everything that can be reached through this server."""

    def __init__(
        self,
        discovery: Discovery,
        openapi: OpenApi,
        documents: RemoteDocuments,
        passed_on: Callable[[Remote, Request], Reply],
    ) -> None:
        """Join the first two with `documents`; `passed_on` answers for another server."""
        self._discovery = discovery
        self._openapi = openapi
        self._documents = documents
        self._passed_on = passed_on

    async def groups(self, request: Request) -> Reply:
        """GET /apis."""
        remotes = self._documents.remotes.by_path
        if not remotes:
            return await self._discovery.groups(request)
        accepted = negotiate(request.header(b"accept"), forms=AGGREGATED)
        resources = self._discovery.resources
        if not accepted.form:
            document = merged_groups(own.group_list(resources), remotes.values())
            return negotiated_answer(document, request)
        theirs = await self._documents.discovery()
        joined = merged_discovery(own.aggregated_groups(resources), theirs)
        return tagged(orjson.dumps(joined), accepted, request)

    async def group_or_version(self, request: Request) -> Reply:
        """GET /apis/GROUP and /apis/GROUP/VERSION, of which others' are passed on before this."""
        name = request.path.strip("/").removeprefix("apis/")
        remotes = [one for one in self._documents.remotes.by_path.values() if one.group == name]
        if not remotes:
            return await self._discovery.group_or_version(request)
        local = own.group(self._discovery.resources, name)
        document = merged_group(local, name, remotes)
        return negotiated_answer({"kind": "APIGroup", "apiVersion": "v1", **document}, request)

    async def openapi_v2(self, request: Request) -> Reply:
        """GET /openapi/v2."""
        if not self._documents.remotes.by_path:
            return await self._openapi.v2(request)
        return await self._openapi.v2(request, await self._documents.openapi_v2())

    async def openapi_index(self, request: Request) -> Reply:
        """GET /openapi/v3."""
        answer = await self._openapi.v3_index(request)
        if not self._documents.remotes.by_path or not isinstance(answer, Answer):
            return answer
        theirs = await self._documents.openapi_paths()
        if not theirs or not answer.body:
            return answer
        paths = {**orjson.loads(bytes(answer.body))["paths"], **theirs}
        return json_answer({"paths": dict(sorted(paths.items()))}, request)

    async def openapi(self, request: Request) -> Reply:
        """GET /openapi/v3/apis/GROUP/VERSION."""
        path = request.path.removeprefix(_OPENAPI)
        remote = self._documents.remotes.by_path.get(path)
        if remote is None:
            return await self._openapi.v3(request)
        return self._passed_on(remote, request)
