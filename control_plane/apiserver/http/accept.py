"""The Accept header: which encoding and which form of the object the client takes.

Pure. A clause that cannot be served is skipped; when none is left the answer is 406. Source: the
content negotiation of Kubernetes v1.35.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.api.errors import NotAcceptable
from control_plane.apiserver.protobuf import envelope

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = envelope.MEDIA_TYPE
MEDIA_TYPES = (JSON, YAML, PROTOBUF)
WATCH_TYPES = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
MAX_CLAUSES = 32
MAX_REMEMBERED = 256  # headers: clients have few, and say them with every request
TABLE = "Table"

# what objects may be turned into, as (kind, group, version)
Forms = frozenset[tuple[str, str, str]]
NO_FORMS: Forms = frozenset()
OBJECT_FORMS: Forms = frozenset(
    (kind, "meta.k8s.io", version)
    for kind in (TABLE, "PartialObjectMetadata", "PartialObjectMetadataList")
    for version in ("v1", "v1beta1")
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The chosen clause: a media type, and a form ("" is the object itself) of a version.

    `is_pretty`: the clause asks for indented JSON.
    """

    media_type: str = JSON
    form: str = ""
    form_version: str = "v1"
    is_pretty: bool = False


@dataclass(frozen=True, slots=True)
class _Clause:
    kind: str
    subtype: str
    parameters: dict[str, str]
    quality: float

    def precedes(self, other: "_Clause") -> bool:
        """Whether it is wanted more, or named more exactly: the latter counts whatever the former.

        This is no order, so that the way of sorting has a say in the result.
        """
        return (
            self.quality > other.quality
            or (self.kind != "*" and other.kind == "*")
            or (self.subtype != "*" and other.subtype == "*")
        )

    def matches(self, media_type: str) -> bool:
        kind, _, subtype = media_type.partition("/")
        return self.kind in (kind, "*") and self.subtype in (
            ("*",) if self.kind == "*" else (subtype, "*")
        )


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def negotiate(
    header: str, *, stream: bool = False, forms: Forms = OBJECT_FORMS, has_protobuf: bool = True
) -> Accepted:
    """Choose among what the client accepts; raises NotAcceptable.

    `stream` is for watches, which are never YAML. The object is to be had as itself and in
    `forms`; without `has_protobuf` it has no such encoding.
    """
    accepted = _first(header, forms)
    if accepted is None or (stream and accepted.media_type == YAML):
        offered = WATCH_TYPES if stream else MEDIA_TYPES
        raise NotAcceptable(f"only the following media types are accepted: {', '.join(offered)}")
    if accepted.media_type == PROTOBUF and not accepted.form and not has_protobuf:
        raise NotAcceptable(
            "object *unstructured.Unstructured does not implement the protobuf marshalling "
            "interface and cannot be encoded to a protobuf message"
        )
    return accepted


def choose(header: str, offered: Sequence[str]) -> str:
    """Choose among media types, the first of which also suits who says nothing or anything.

    Parameters of clauses do not count. Raises NotAcceptable.
    """
    for clause in _sorted(_clauses(header or "*/*")):
        for media_type in offered:
            if clause.matches(media_type):
                return media_type
    raise NotAcceptable(f"only the following media types are accepted: {', '.join(offered)}")


def _first(header: str, forms: Forms) -> Accepted | None:
    if not header:
        return Accepted()
    for clause in _sorted(_clauses(header)):
        for media_type in MEDIA_TYPES:
            accepted = _accept(clause, media_type, forms)
            if accepted is not None:
                return accepted
    return None


def _sorted(clauses: list[_Clause]) -> list[_Clause]:
    """Sort by insertion, as Go sorts lists this short; the rest of a longer one is left out."""
    placed: list[_Clause] = []
    for clause in clauses[:MAX_CLAUSES]:
        at = len(placed)
        while at and clause.precedes(placed[at - 1]):
            at -= 1
        placed.insert(at, clause)
    return placed


def _accept(clause: _Clause, media_type: str, forms: Forms) -> Accepted | None:
    """Serve a clause with a media type; None where its parameters ask for what is not there."""
    wanted = clause.parameters
    if not clause.matches(media_type) or wanted.get("sv"):
        return None
    if wanted.get("stream") and (wanted["stream"] != "watch" or media_type == YAML):
        return None
    is_pretty = wanted.get("pretty") == "1"
    if not wanted.keys() & {"as", "g", "v"}:
        return Accepted(media_type, is_pretty=is_pretty)
    form, version = wanted.get("as", ""), wanted.get("v", "")
    if (form, wanted.get("g", ""), version) not in forms:
        return None
    if form == TABLE and media_type == PROTOBUF:
        return None
    return Accepted(media_type, form, version, is_pretty)


def _clauses(header: str) -> list[_Clause]:
    clauses = (_clause(text) for text in header.split(","))
    return [clause for clause in clauses if clause is not None]


def _clause(text: str) -> _Clause | None:
    media_type, *rest = text.strip(" ").split(";")
    kind, _, subtype = media_type.partition("/")
    kind = kind.strip(" ")
    if not subtype and kind == "*":
        subtype = "*"
    if not subtype or "/" in subtype:
        return None
    parameters: dict[str, str] = {}
    quality = 1.0
    for part in rest:
        name, _, value = part.partition("=")
        if not value or "=" in value:
            continue
        if name.strip(" ") == "q":
            quality = _quality(value)
        else:
            parameters[name.strip(" ")] = value.strip(" ")
    return _Clause(kind, subtype.strip(" "), parameters, quality)


def _quality(text: str) -> float:
    """A clause's weight as Go reads it: nothing for what is no number."""
    try:
        return float(text)
    except ValueError:
        return 0.0
