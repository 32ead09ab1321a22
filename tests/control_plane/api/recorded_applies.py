"""Sequences of writes that Kubernetes' own libraries were asked for, and what they made of them.

The records come from the program in tests/clients/managed_fields. `replay` does the same writes
with our apply and says what is different.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from control_plane.api.apply import Applier, apply, conversion_error, endpoint_of, track
from control_plane.api.errors import ApiError
from control_plane.api.objects import Object, deep_copy
from control_plane.api.resources import Resource, resource_for
from control_plane.api.schema import schema
from control_plane.api.typed_json import read_typed
from control_plane.api.typed_scalars import TypeMismatch

RECORDS = Path(__file__).with_suffix(".jsonl.gz")


def sequences() -> Iterator[Object]:
    """Yield every recorded sequence."""
    with gzip.open(RECORDS, "rt") as lines:
        yield from map(json.loads, lines)


def replay(sequence: Object) -> str:
    """Do the writes of a sequence; return what is not as recorded, "" when all of it is."""
    resource = resource_for(sequence["apiVersion"], sequence["kind"])
    assert resource is not None
    live: Object = {}
    for number, step in enumerate(sequence["steps"]):
        now = f"2020-01-01T00:00:{number:02}Z"
        try:
            result = _written(resource, live, step, now)
        except ApiError as error:
            if _lines(error.message) != _lines(step.get("error", "")):
                return f"step {number}: {error.message!r} instead of {step.get('error')!r}"
            continue
        if "error" in step:
            return f"step {number}: accepted instead of {step['error']!r}"
        trouble = _difference(result, step["result"])
        if trouble:
            return f"step {number} ({step['op']} by {step['manager']}): {trouble}"
        live = result
    return ""


def _lines(message: str) -> list[str]:
    """Return the lines of a message, sorted: Go walks the fields of a map in any order."""
    return sorted(message.splitlines())


def _written(resource: Resource, live: Object, step: Object, now: str) -> Object:
    endpoint = endpoint_of(resource, step.get("subresource", ""))
    definition = schema().name_for(resource.api_version, resource.kind)
    assert definition is not None
    if step["op"] == "apply":
        applier = Applier(step["manager"], step.get("force", False), now)
        result = apply(endpoint, live, step["object"], applier)
    else:
        result = read_typed(step["object"], definition).value
        if not track(endpoint, live, result, step["manager"], now):
            result["metadata"].pop("managedFields", None)
    try:
        typed: Object = read_typed(deep_copy(result), definition).value
    except TypeMismatch as error:
        raise conversion_error(step["object"], error) from None
    typed["metadata"]["uid"] = "u"
    return typed


def _difference(ours: Object, theirs: Object) -> str:
    mine, other = (obj["metadata"].get("managedFields") for obj in (ours, theirs))
    if mine != other:
        return f"managedFields {json.dumps(mine)} instead of {json.dumps(other)}"
    mine, other = _substance(ours), _substance(theirs)
    return "" if mine == other else f"{json.dumps(mine)} instead of {json.dumps(other)}"


def _substance(value: Any) -> Any:
    """Return a value without what Go's structs say of fields that nobody has set."""
    if isinstance(value, dict):
        items = ((key, _substance(item)) for key, item in value.items())
        return {key: item for key, item in sorted(items) if item not in (None, "", "0", 0, {}, [])}
    return list(map(_substance, value)) if isinstance(value, list) else value
