"""Strategic merge patches of many kinds against what Kubernetes' own library made of them.

The records come from the program in tests/clients/managed_fields.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from control_plane.api.errors import ApiError
from control_plane.api.patch import PATCHES, STRATEGIC, object_type

RECORDS = Path(__file__).with_name("recorded_merges.jsonl.gz")
DIRECTIVES = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")
GENERIC = "the server rejected our request due to an error in our request"
LACKING = "does not contain declared merge key"
Object = dict[str, Any]


def records() -> Iterator[Object]:
    with gzip.open(RECORDS, "rt") as lines:
        yield from map(json.loads, lines)


def difference(record: Object) -> str:
    """Merge the patch of a record; return what is not as recorded."""
    fields = object_type(record["apiVersion"], record["kind"])
    patch = PATCHES[STRATEGIC]
    try:
        result = patch.apply(
            record["object"], patch.decode(json.dumps(record["patch"]).encode()), fields
        )
    except ApiError as error:
        allowed = record.get("errors", [])
        is_said = _said(error.message) in map(_said, allowed) or (
            allowed and error.message == GENERIC
        )
        return "" if is_said else f"{error.message!r} instead of {allowed}"
    if "errors" in record:
        return f"accepted instead of {record['errors']}"
    if result != record.get("result", {}):
        return f"{json.dumps(result)} instead of {json.dumps(record['result'])}"
    return ""


def _said(message: str) -> str:
    """Return a message without the item that it shows: which of several, upstream does not say."""
    return LACKING if LACKING in message else message


def test_every_merge_as_recorded() -> None:
    kinds: Counter[str] = Counter()
    directives: Counter[str] = Counter()
    different = []
    for record in records():
        kinds[record["kind"]] += 1
        text = json.dumps(record["patch"])
        directives.update(name for name in DIRECTIVES if f'"{name}' in text)
        trouble = difference(record)
        if trouble:
            different.append(f"{record['kind']} {kinds[record['kind']]}: {trouble}")
    assert len(kinds) > 20
    assert min(directives[name] for name in DIRECTIVES) > 30, directives
    assert not different, f"{len(different)} differ\n" + "\n".join(different[:10])
