"""What Kubernetes' own types are as JSON and as protobuf, recorded by the program in `record`:

(cd record && go run . | xz -9e > ../recorded.jsonl.xz)
"""

import base64
import json
import lzma
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("recorded.jsonl.xz")


class Recorded(NamedTuple):
    """One object; `only` is "encode" where Go would write other JSON than this for it."""

    case: str
    only: str
    json: dict[str, Any]
    protobuf: bytes


def recorded() -> list[Recorded]:
    """Return every recorded object and watch event."""
    with lzma.open(FILE, "rt") as lines:
        documents = [json.loads(line) for line in lines]
    return [
        Recorded(d["case"], d.get("only", ""), d["json"], base64.b64decode(d["protobuf"]))
        for d in documents
    ]


def without_nulls(value: Any) -> Any:
    """Return the value without the nulls that Go writes for empty lists."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value
