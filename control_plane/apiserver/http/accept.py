"""The Accept header: which encoding and which form of the object the client takes.

Pure. A clause that cannot be served is skipped; when none is left the answer is 406. Source: the
content negotiation of Kubernetes v1.35.
"""

from dataclasses import dataclass

from control_plane.api.errors import NotAcceptable

JSON = "application/json"
YAML = "application/yaml"
_WILDCARDS = frozenset({"*/*", "application/*", ""})
_META_GROUP = "meta.k8s.io"
_FORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """The chosen clause: a media type, and a form ("" is the object itself) of a version."""

    media_type: str = JSON
    form: str = ""
    form_version: str = "v1"


@dataclass(frozen=True, slots=True)
class _Clause:
    media_type: str
    parameters: dict[str, str]
    quality: float


def negotiate(header: str, *, stream: bool = False) -> Accepted:
    """Choose among what the client accepts; `stream` is for watches, which are never YAML."""
    clauses = sorted(_clauses(header), key=lambda clause: -clause.quality)
    for clause in clauses or [_Clause("", {}, 1.0)]:
        accepted = _accept(clause, stream)
        if accepted is not None:
            return accepted
    offered = f"{JSON};stream=watch" if stream else f"{JSON}, {YAML}"
    raise NotAcceptable(f"only the following media types are accepted: {offered}")


def _accept(clause: _Clause, stream: bool) -> Accepted | None:
    media_type = JSON if clause.media_type in _WILDCARDS else clause.media_type
    if media_type not in (JSON, YAML) or (stream and media_type == YAML):
        return None
    form = clause.parameters.get("as", "")
    if not form:
        return Accepted(media_type)
    version = clause.parameters.get("v", "")
    if form not in _FORMS or clause.parameters.get("g") != _META_GROUP:
        return None
    return Accepted(media_type, form, version) if version in ("v1", "v1beta1") else None


def _clauses(header: str) -> list[_Clause]:
    return [_clause(text) for text in header.split(",") if text.strip()]


def _clause(text: str) -> _Clause:
    media_type, *rest = (part.strip() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    parameters = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
    try:
        quality = float(parameters.get("q", "1"))
    except ValueError:
        quality = 0.0
    return _Clause(media_type.lower(), parameters, quality)
