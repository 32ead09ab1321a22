"""The v2 document of this server with those of servers behind it, as one. Pure.

Of another server's document come the paths below its group version and what these refer to. A
definition that this server has differently gets another name: NAME_v2, NAME_v3 and so on. Source:
the OpenAPI aggregator of kube-aggregator v1.35.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from control_plane.api.openapi import v2_protobuf
from control_plane.api.openapi.documents import EncodedDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from control_plane.api.objects import Object
    from control_plane.api.openapi.documents import OpenApiDocuments

_JOINED: Final = ("paths", "definitions")
_PREFIX: Final = "#/definitions/"
_PARAMETER: Final = "#/parameters/"
_KINDS: Final = "x-kubernetes-group-version-kind"

log = logging.getLogger(__name__)


class OtherV2(NamedTuple):
    """Another server's document, of which the paths below `path` count; `tag` changes with it."""

    path: str
    document: Object
    tag: str


class JoinedV2:
    """The newest joined document, in both of its forms."""

    def __init__(self) -> None:
        """Nothing has been joined yet."""
        self._kept: dict[bool, tuple[object, EncodedDocument]] = {}

    def of(
        self, own: OpenApiDocuments, others: Sequence[OtherV2], *, is_protobuf: bool
    ) -> EncodedDocument:
        """Return `own` joined with `others`, in protobuf or in JSON."""
        key = (own.v2().hash, *((one.path, one.tag) for one in others))
        known, kept = self._kept.get(is_protobuf, (None, None))
        if kept is None or known != key:
            document = joined(own.v2_document(), others)
            body = _protobuf(document, own) if is_protobuf else orjson.dumps(document)
            kept = EncodedDocument(body, hashlib.sha512(body).hexdigest().upper())
            self._kept[is_protobuf] = (key, kept)
        return kept


def _protobuf(document: Object, own: OpenApiDocuments) -> bytes:
    """The document, or this server's alone where another's has what no message can carry."""
    try:
        return v2_protobuf.encode(document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("a server's OpenAPI v2 has no protobuf: %s", error)
        return own.v2_protobuf().body


def joined(own: Object, others: Iterable[OtherV2]) -> Object:
    """Return a document of both; `own` stays as it is, and wins where paths are the same."""
    document = {key: {**own[key]} if key in _JOINED else value for key, value in own.items()}
    for other in others:
        _add(document, other)
    document["paths"] = dict(sorted(document["paths"].items()))
    return document


def _add(document: Object, other: OtherV2) -> None:
    paths = {
        path: _inlined(item, _map_of(other.document, "parameters"))
        for path, item in _map_of(other.document, "paths").items()
        if path.startswith(f"{other.path}/") and path not in document["paths"]
    }
    needed = _needed(_map_of(other.document, "definitions"), paths)
    known = document["definitions"]
    names = {name: _name_for(known, needed, name) for name in needed}
    changed = {_PREFIX + name: _PREFIX + new for name, new in names.items() if new != name}
    document["paths"] |= {path: _renamed(item, changed) for path, item in paths.items()}
    for name, new in names.items():
        added = _renamed(needed[name], changed)
        known[new] = _with_kinds(known[new], added) if new in known else added


def _map_of(document: Object, section: str) -> Object:
    found = document.get(section)
    return found if isinstance(found, dict) else {}


def _inlined(value: Any, parameters: Object) -> Any:
    """The value with the parameters that it refers to, which few read by reference."""
    if isinstance(value, list):
        return [_inlined(one, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    name = reference.removeprefix(_PARAMETER) if isinstance(reference, str) else ""
    if name != reference and name in parameters:
        return parameters[name]
    return {key: _inlined(one, parameters) for key, one in value.items()}


def _needed(definitions: Object, paths: Object) -> Object:
    """The definitions that the paths refer to, and those that these refer to."""
    found: Object = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in found and name in definitions:
            found[name] = definitions[name]
            waiting += _references(definitions[name])
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref" and isinstance(one, str):
                yield one.removeprefix(_PREFIX)
            else:
                yield from _references(one)


def _name_for(known: Object, theirs: Object, name: str) -> str:
    """The name that is free for it, or that something equal has already."""
    candidate, number = name, 1
    while candidate in known and not _is_same(known[candidate], theirs[name]):
        number += 1
        candidate = f"{name}_v{number}"
        while candidate in theirs:
            number += 1
            candidate = f"{name}_v{number}"
    return candidate


def _is_same(one: Any, other: Any) -> bool:
    """Whether two are equal but for the kinds that they are for."""
    return bool(_without_kinds(one) == _without_kinds(other))


def _without_kinds(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key != _KINDS}


def _with_kinds(known: Any, added: Any) -> Any:
    """What is known, for the kinds of both."""
    own, theirs = (
        (one.get(_KINDS) or []) if isinstance(one, dict) else [] for one in (known, added)
    )
    new = [kind for kind in theirs if kind not in own]
    return {**known, _KINDS: [*own, *new]} if new else known


def _renamed(value: Any, changed: Mapping[str, str]) -> Any:
    if not changed:
        return value
    if isinstance(value, list):
        return [_renamed(one, changed) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: changed.get(one, one) if key == "$ref" else _renamed(one, changed)
        for key, one in value.items()
    }
