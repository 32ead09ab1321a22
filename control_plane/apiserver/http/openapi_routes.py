"""/openapi/v2 and /openapi/v3, which clients keep by ETag and by the hash in the URL.

Source: kube-openapi as Kubernetes v1.35 has it, which answers in JSON or in protobuf.
"""

import asyncio
import datetime
from collections.abc import Callable, Sequence
from email.utils import format_datetime

from control_plane.api.openapi import v2_protobuf, v3_protobuf
from control_plane.api.openapi.documents import EncodedDocument, OpenApiDocuments
from control_plane.api.openapi.joined_v2 import JoinedV2, OtherV2
from control_plane.api.resources import ResourceSet
from control_plane.apiserver.http.accept import JSON, choose
from control_plane.apiserver.http.answer import Answer, Reply, text_answer
from control_plane.apiserver.http.request import Request

_ROOT = "/openapi/v3/"
_YEAR = datetime.timedelta(days=365)
_V2_TYPES = (JSON, v2_protobuf.MEDIA_TYPE, v2_protobuf.OLD_MEDIA_TYPE)
_V3_TYPES = (JSON, v3_protobuf.MEDIA_TYPE, v3_protobuf.OLD_MEDIA_TYPE)


class OpenApi:
    """Serves the documents; each is built in a thread at its first request."""

    def __init__(self, documents: OpenApiDocuments, served: Callable[[], ResourceSet]) -> None:
        """Serve these, of what `served` says is served now."""
        self._kept = documents
        self._served = served
        self._joined = JoinedV2()

    @property
    def _documents(self) -> OpenApiDocuments:
        served = self._served()
        if served is not self._kept.served:
            self._kept = self._kept.of(served)
        return self._kept

    async def v2(self, request: Request, others: Sequence[OtherV2] = ()) -> Reply:
        """GET /openapi/v2, in JSON or in the protobuf that kubectl asks for.

        Joined with the documents of other servers.
        """
        is_protobuf = choose(request.header(b"accept"), _V2_TYPES) != JSON
        document = await asyncio.to_thread(self._v2, others, is_protobuf)
        return _answer(document, request, v2_protobuf.MEDIA_TYPE if is_protobuf else JSON)

    def _v2(self, others: Sequence[OtherV2], is_protobuf: bool) -> EncodedDocument:
        own = self._documents
        if others:
            return self._joined.of(own, others, is_protobuf=is_protobuf)
        return own.v2_protobuf() if is_protobuf else own.v2()

    async def v3_index(self, request: Request) -> Reply:
        """GET /openapi/v3."""
        return _answer(await asyncio.to_thread(self._documents.v3_index), request)

    async def v3(self, request: Request) -> Reply:
        """GET /openapi/v3/GROUP-VERSION: for ever with the right hash, a redirect with another."""
        path = request.path.removeprefix(_ROOT)
        is_json = choose(request.header(b"accept"), _V3_TYPES) == JSON
        build = self._documents.v3 if is_json else self._documents.v3_protobuf
        document = await asyncio.to_thread(build, path)
        if document is None:
            return text_answer("404 page not found\n", 404)
        asked = request.query.text("hash")
        if asked and asked != document.hash:
            location = (b"location", f"{_ROOT}{path}?hash={document.hash}".encode())
            return Answer(301, b"", headers=(location,))
        media_type = JSON if is_json else v3_protobuf.MEDIA_TYPE
        return _answer(document, request, media_type, _for_ever() if asked else ())


def _answer(
    document: EncodedDocument,
    request: Request,
    media_type: str = JSON,
    more: tuple[tuple[bytes, bytes], ...] = (),
) -> Answer:
    tag = f'"{document.hash}"'
    headers = ((b"etag", tag.encode()), (b"vary", b"Accept"), *more)
    if request.header(b"if-none-match") == tag:
        return Answer(304, b"", headers=headers)
    return Answer(200, document.body, media_type, headers)


def _for_ever() -> tuple[tuple[bytes, bytes], ...]:
    expires = datetime.datetime.now(datetime.UTC) + _YEAR
    return (
        (b"cache-control", b"public, immutable"),
        (b"expires", format_datetime(expires, usegmt=True).encode()),
    )
