"""An audit event, as audit.k8s.io/v1 has it: made of a request, and of its answer. Pure.

Fields stand in upstream's order; what is empty is left out as upstream leaves it out.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from control_plane.api.objects import Object
from control_plane.apiserver.audit.request_info import RequestInfo
from control_plane.apiserver.http.answer import Answer
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.protobuf.wire_format import WireError

MAX_AGENT_CHARACTERS = 1024
TRUNCATED = "...TRUNCATED"
_STATUS_FIELDS = ("metadata", "status", "message", "reason", "details", "code")


def source_addresses(headers: Mapping[bytes, bytes], peer: str) -> list[str]:
    """The client's addresses: those that proxies tell of, in their order, then the peer's own."""
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
    found = [one.strip() for one in forwarded.split(",") if one.strip()]
    real = headers.get(b"x-real-ip", b"").decode("latin-1").strip()
    if real and real not in found:
        found.append(real)
    if peer and (not found or found[-1] != peer):
        found.append(peer)
    return found


def agent(text: str) -> str:
    """A User-Agent, cut where it is too long."""
    return text if len(text) <= MAX_AGENT_CHARACTERS else text[:MAX_AGENT_CHARACTERS] + TRUNCATED


def object_reference(info: RequestInfo, obj: Object | None) -> Object:
    """What the request is about; what the URL leaves open comes from the object in the body."""
    metadata = (obj or {}).get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    reference = {
        "resource": info.resource,
        "namespace": info.namespace or metadata.get("namespace"),
        "name": info.name or metadata.get("name"),
        "uid": metadata.get("uid"),
        "apiGroup": info.group,
        "apiVersion": info.version,
        "resourceVersion": metadata.get("resourceVersion"),
        "subresource": info.subresource,
    }
    return {key: value for key, value in reference.items() if value}


def response_status(code: int, document: Any = None) -> Object:
    """The status of an answer: what a Status in it says, and its code."""
    said: Object = {}
    if isinstance(document, dict) and document.get("kind") == "Status":
        said = {key: document[key] for key in _STATUS_FIELDS if document.get(key)}
    return {"metadata": {}, **said, "code": code}


def panic_status(text: str) -> Object:
    """The status of a request that has met a bug of ours."""
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"APIServer panic'd: {text}",
        "reason": "InternalError",
        "code": 500,
    }


def answered_document(answer: Answer) -> Any:
    """The object of an answer; None for what is no object."""
    media_type = answer.media_type.partition(";")[0]
    body = bytes(answer.body)
    try:
        if media_type == "application/json" or answer.as_yaml:
            return orjson.loads(body)
        if media_type == envelope.MEDIA_TYPE:
            return envelope.decode(body)
    except (ValueError, WireError):
        return None
    return None


def without_managed_fields(document: Any) -> Any:
    """The object, or the list's objects, without managedFields; the document is changed."""
    if isinstance(document, dict):
        for one in (document, *_items(document)):
            metadata = one.get("metadata") if isinstance(one, dict) else None
            if isinstance(metadata, dict):
                metadata.pop("managedFields", None)
    return document


def _items(document: Object) -> list[Any]:
    items = document.get("items")
    return items if isinstance(items, list) else []
