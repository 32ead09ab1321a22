"""From client-side to server-side apply: the annotation in which kubectl keeps its last manifest.

Only for the manager "kubectl". What its last client-side apply set and nobody has changed since may
be applied over whoever is recorded for it; the annotation is kept up to date, so that the way back
stays open. Pure; called by applying.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.apply.comparison import compare
from control_plane.api.apply.conformity import findings
from control_plane.api.apply.field_set import FieldSet, difference
from control_plane.api.apply.held import Side
from control_plane.api.apply.owned import owned_fields
from control_plane.api.go_syntax import to_json
from control_plane.api.validation.metadata import MAX_ANNOTATION_BYTES

if TYPE_CHECKING:
    from control_plane.api.apply.endpoint import Endpoint
    from control_plane.api.objects import Object

KUBECTL: Final = "kubectl"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def forgiven_fields(endpoint: Endpoint, live: Object) -> FieldSet:
    """Return what the last client-side apply set and is still as it was set."""
    last = _last_applied(live)
    if last is None or last.get("apiVersion") != endpoint.api_version:
        return {}
    shape = endpoint.shape
    if findings(shape, last):
        return {}
    found = compare(shape, live, last, Side.SENT)
    mine = owned_fields(shape, last)
    for gone in (found.modified, found.added, found.removed):
        mine = difference(mine, gone)
    return mine


def _last_applied(live: Object) -> Object | None:
    try:
        value = orjson.loads(_annotations(live).get(LAST_APPLIED) or "null")
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _annotations(obj: Object) -> dict[str, Any]:
    return (obj.get("metadata") or {}).get("annotations") or {}


def keep_last_applied(obj: Object, config: Object) -> Object:
    """Return the object, whose annotation says `config` if it had that annotation at all.

    Annotations that would grow too large lose it.
    """
    annotations = _annotations(obj)
    if not annotations.get(LAST_APPLIED):
        return obj
    annotations = {**annotations, LAST_APPLIED: _manifest(config)}
    if _size(annotations) > MAX_ANNOTATION_BYTES:
        del annotations[LAST_APPLIED]
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def _manifest(config: Object) -> str:
    """Return the configuration as kubectl writes it down: without the annotation itself."""
    metadata = config.get("metadata") or {}
    annotations = metadata.get("annotations")
    if annotations is None:
        kept = {key: value for key, value in metadata.items() if key != "annotations"}
        config = {**config, "metadata": kept}
    else:
        kept = {key: text for key, text in annotations.items() if key != LAST_APPLIED}
        config = {**config, "metadata": {**config["metadata"], "annotations": kept}}
    return to_json(config) + "\n"


def _size(annotations: dict[str, Any]) -> int:
    return sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items())
