"""Objects and lists in the form that was negotiated: themselves, Tables, or metadata only."""

import datetime
import functools
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from control_plane.api.errors import BadRequest, NotAcceptable
from control_plane.api.objects import Object
from control_plane.api.resource import CREATE_ONLY
from control_plane.api.resources import Resource
from control_plane.api.tables import view_for
from control_plane.api.tables.build import INCLUDE_OBJECT, partial_metadata, row, table
from control_plane.apiserver.http.accept import (
    JSON,
    NO_FORMS,
    OBJECT_FORMS,
    PROTOBUF,
    Accepted,
    negotiate,
)
from control_plane.apiserver.http.answer import Answer, encoded_answer, wants_indented
from control_plane.apiserver.http.list_encoding import protobuf_list
from control_plane.apiserver.http.parted_body import PartedBody
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.watch_encoding import (
    JSON_LINES,
    PROTOBUF_FRAMES,
    ConvertedWatchEncoding,
    WatchEncoding,
)
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.registry.reading import Listing
from control_plane.apiserver.storage.codec import Codec

TABLE = "Table"
METADATA = "PartialObjectMetadata"
METADATA_LIST = "PartialObjectMetadataList"
MAX_REMEMBERED = 1024  # Accept headers times resources


def object_answer(request: Request, resource: Resource, body: bytes, status: int = 200) -> Answer:
    """One object, given as its JSON with kind and apiVersion."""
    accepted = accepted_form(request, resource)
    if accepted.form == METADATA_LIST:
        raise NotAcceptable(
            "you requested PartialObjectMetadataList, but the requested object is not a list"
        )
    if accepted.form:
        obj = orjson.loads(body)
        metadata = _list_metadata(obj["metadata"].get("resourceVersion", ""))
        convert = _converter(request, resource, accepted, metadata)
        body = orjson.dumps(convert([obj]) if accepted.form == TABLE else _partial(obj, accepted))
    return encoded_answer(body, accepted, request, status)


async def list_answer(
    request: Request, resource: Resource, codec: Codec, listing: Listing
) -> Answer:
    """A list, joined from the bytes of its items."""
    accepted = accepted_form(request, resource)
    metadata = _list_metadata(str(listing.revision), listing)
    if accepted.form == METADATA:
        raise NotAcceptable(
            "you requested PartialObjectMetadata, but the requested object is a list"
        )
    if not accepted.form:
        if accepted.media_type == PROTOBUF:
            return Answer(200, await protobuf_list(resource, codec, listing, metadata), PROTOBUF)
        items = [entry.item for entry in listing.entries]
        return items_answer(request, resource, metadata, items, accepted)
    objects = [orjson.loads(codec.whole(entry.item)) for entry in listing.entries]
    if accepted.form == TABLE:
        document = _converter(request, resource, accepted, metadata)(objects)
    else:
        document = {
            "kind": METADATA_LIST,
            "apiVersion": f"meta.k8s.io/{accepted.form_version}",
            "metadata": metadata,
            "items": [_partial(obj, accepted) for obj in objects],
        }
    return encoded_answer(orjson.dumps(document), accepted, request)


def accepted_form(request: Request, resource: Resource, *, stream: bool = False) -> Accepted:
    """What the client wants of objects of `resource`; raises NotAcceptable.

    Reviews have no metadata of which to make a Table or a part.
    """
    return _accepted(request.headers.get(b"accept", b""), resource, stream)


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _accepted(header: bytes, resource: Resource, stream: bool) -> Accepted:
    return negotiate(
        header.decode("latin-1"),
        stream=stream,
        forms=OBJECT_FORMS if resource.is_stored or resource.verbs != CREATE_ONLY else NO_FORMS,
        has_protobuf=envelope.has_message(resource.api_version, resource.kind),
    )


def items_answer(
    request: Request,
    resource: Resource,
    metadata: Object,
    items: Sequence[bytes],
    accepted: Accepted,
) -> Answer:
    """A list of items as they are, in JSON or what is made of it."""
    body = _listed(resource, metadata, items)
    if accepted.media_type == JSON and not wants_indented(accepted, request):
        return Answer(200, body)
    return encoded_answer(bytes(body), accepted, request)


def _listed(resource: Resource, metadata: Object, items: Sequence[bytes]) -> PartedBody:
    """The JSON of a list from the JSON of its items, and a newline."""
    head = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[' % (
        resource.list_kind_name.encode(),
        resource.api_version.encode(),
        orjson.dumps(metadata),
    )
    pieces = list(items) or [b""]
    pieces[0] = head + pieces[0]
    pieces[-1] += b"]}\n"
    return PartedBody(pieces, b",")


def watch_encoding(request: Request, resource: Resource, codec: Codec) -> WatchEncoding:
    """How this client wants its events."""
    accepted = accepted_form(request, resource, stream=True)
    stream = PROTOBUF_FRAMES if accepted.media_type == PROTOBUF else JSON_LINES
    if accepted.form == TABLE:
        rows = _RowByRow(request, resource, accepted)
        return ConvertedWatchEncoding(resource, codec, stream, rows)
    if accepted.form:
        form = f"{METADATA} {accepted.form_version}"
        return ConvertedWatchEncoding(
            resource, codec, stream, lambda obj: _partial(obj, accepted), form
        )
    return WatchEncoding(resource, codec, stream)


class _RowByRow:
    """Makes one-row Tables, the first of which has the column definitions."""

    def __init__(self, request: Request, resource: Resource, accepted: Accepted) -> None:
        self._request = request
        self._resource = resource
        self._accepted = accepted
        self._has_headers = True
        _include(request)

    def __call__(self, obj: Object) -> Object:
        metadata = _list_metadata(obj["metadata"].get("resourceVersion", ""))
        made = _converter(self._request, self._resource, self._accepted, metadata)([obj])
        if not self._has_headers:
            made["columnDefinitions"] = None
        self._has_headers = False
        if _is_initial_end(obj) and made["rows"][0]["object"] is None:
            made["rows"][0]["object"] = partial_metadata(obj, _meta_version(self._accepted))
        return made


def _is_initial_end(obj: Object) -> bool:
    return "k8s.io/initial-events-end" in (obj["metadata"].get("annotations") or {})


def _converter(
    request: Request, resource: Resource, accepted: Accepted, metadata: Object
) -> Callable[[list[Object]], Object]:
    include = _include(request)
    view = view_for(resource)
    now = datetime.datetime.now(datetime.UTC)
    version = _meta_version(accepted)

    def convert(objects: list[Object]) -> Object:
        made = table(view, [], now, metadata=metadata)
        made["apiVersion"] = version
        ordered = objects if view.order is None else sorted(objects, key=view.order)
        made["rows"] = [row(view, obj, now, include) for obj in ordered]
        return made

    return convert


def _include(request: Request) -> str:
    include = request.query.text("includeObject")
    if include not in INCLUDE_OBJECT:
        raise BadRequest(
            f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
            "must be 'Metadata', 'Object', 'None', or empty"
        )
    return include or "Metadata"


def _partial(obj: Object, accepted: Accepted) -> Object:
    return partial_metadata(obj, _meta_version(accepted))


def _meta_version(accepted: Accepted) -> str:
    return f"meta.k8s.io/{accepted.form_version}"


def _list_metadata(revision: str, listing: Listing | None = None) -> Object:
    is_stored = revision not in ("", "0")
    metadata: dict[str, Any] = {"resourceVersion": revision} if is_stored else {}
    if listing is not None and listing.continue_token:
        metadata["continue"] = listing.continue_token
        if listing.remaining:
            metadata["remainingItemCount"] = listing.remaining
    return metadata
