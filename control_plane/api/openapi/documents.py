"""The OpenAPI documents as bytes, each built at its first request and kept.

The API server holds one `OpenApiDocuments` per ResourceSet and makes another when the set changes.
Building the whole v2 document takes some 100 ms the first time, and less when a few resources have
come or gone; callers on an event loop do it in a thread. A build that two threads begin at once
gives both the same bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from control_plane.api.openapi import v2, v2_protobuf, v3, v3_protobuf
from control_plane.api.openapi.discovery_operations import general_operations

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource, ResourceSet

_ROOT: Final = "/openapi/v3/"


class EncodedDocument(NamedTuple):
    """A document and its SHA-512 in upper-case hex: the ETag, and the `hash` of v3 URLs.

    In protobuf it has the hash of its JSON, as the URL is one for both.
    """

    body: bytes
    hash: str


class OpenApiDocuments:
    """The documents of one set of resources."""

    def __init__(
        self, served: ResourceSet, version: str, before: OpenApiDocuments | None = None
    ) -> None:
        """Prepare, build nothing; `version` is the server's, such as "v1.35.0".

        Of the documents `before`, those of unchanged group versions are kept, and what v2 says of
        each resource.
        """
        self.served = served
        self._version = version
        self._kept: dict[str, EncodedDocument] = {}
        self._parts: dict[Resource, v2.Part] = {}
        self._group_versions = {
            row.root_path.removeprefix("/"): (row.group, row.version) for row in served.rows
        }
        self._general = general_operations(served.rows)
        if before is not None:
            self._parts = {row: before._parts[row] for row in served.rows if row in before._parts}
            self._kept = {
                key: before._kept[key]
                for path in self._group_versions
                for key in (f"v3/{path}", f"v3+protobuf/{path}")
                if key in before._kept and self._rows(path) == before._rows(path)
            }

    def of(self, served: ResourceSet) -> OpenApiDocuments:
        """Return the documents of another set, keeping what has not changed."""
        return OpenApiDocuments(served, self._version, self)

    def v2(self) -> EncodedDocument:
        """Return the one v2 document, for /openapi/v2."""
        return self._keep("v2", self._v2)

    def v2_protobuf(self) -> EncodedDocument:
        """Return the v2 document in protobuf."""
        return self._keep_protobuf("v2+protobuf", self.v2(), v2_protobuf.encode)

    def v2_document(self) -> Object:
        """Read the v2 document."""
        found: Object = orjson.loads(self.v2().body)
        return found

    def _v2(self) -> bytes:
        rows = self.served.rows
        for row in rows:
            if row not in self._parts:
                self._parts[row] = v2.part(row)
        parts = (self._parts[row] for row in rows)
        return orjson.dumps(v2.document(rows, parts, self._version))

    def v3_index(self) -> EncodedDocument:
        """Return the index of /openapi/v3: a URL with a hash for every document."""
        return self._keep("v3", lambda: orjson.dumps(self._index()))

    def v3(self, path: str) -> EncodedDocument | None:
        """Return the document of "api/v1", "apis/GROUP/VERSION" or of what is about no group
        version, such as "version"; None when it is not served.
        """
        if path in self._general:
            general = self._general[path]
            return self._keep(
                f"v3/{path}", lambda: orjson.dumps(v3.general_document(general, self._version))
            )
        if path not in self._group_versions:
            return None
        return self._keep(
            f"v3/{path}", lambda: orjson.dumps(v3.document(self._rows(path), self._version))
        )

    def v3_protobuf(self, path: str) -> EncodedDocument | None:
        """Return one of the v3 documents in protobuf; None when it is not served."""
        found = self.v3(path)
        if found is None:
            return None
        return self._keep_protobuf(f"v3+protobuf/{path}", found, v3_protobuf.encode)

    def _rows(self, path: str) -> tuple[Resource, ...]:
        return self.served.in_group_version(*self._group_versions[path])

    def _index(self) -> Object:
        paths = {}
        for path in sorted({*self._general, *self._group_versions}):
            found = self.v3(path)
            assert found is not None
            paths[path] = {"serverRelativeURL": f"{_ROOT}{path}?hash={found.hash}"}
        return {"paths": paths}

    def _keep_protobuf(
        self, key: str, document: EncodedDocument, encode: Callable[[Object], bytes]
    ) -> EncodedDocument:
        kept = self._kept.get(key)
        if kept is None or kept.hash != document.hash:
            kept = EncodedDocument(encode(orjson.loads(document.body)), document.hash)
            self._kept[key] = kept
        return kept

    def _keep(self, key: str, build: Callable[[], bytes]) -> EncodedDocument:
        kept = self._kept.get(key)
        if kept is None:
            body = build()
            kept = EncodedDocument(body, hashlib.sha512(body).hexdigest().upper())
            self._kept[key] = kept
        return kept
