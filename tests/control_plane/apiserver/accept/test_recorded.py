"""Accept headers, beside what Kubernetes' own negotiation makes of them.

The program in `record` has written the answers: (cd record && go run . > ../recorded.jsonl)
"""

import json
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.errors import NotAcceptable
from control_plane.apiserver.http.accept import NO_FORMS, negotiate

RECORDED = Path(__file__).with_name("recorded.jsonl").read_text().splitlines()
OPTIONS: dict[str, dict[str, Any]] = {
    "object": {},
    "error": {"forms": NO_FORMS},
    "watch": {"stream": True},
}


@pytest.mark.parametrize("line", RECORDED)
def test_a_header_means_what_it_means_to_kubernetes(line: str) -> None:
    one = json.loads(line)
    assert _negotiated(one) == {k: v for k, v in one.items() if k not in ("header", "of")}


def _negotiated(one: dict[str, str]) -> dict[str, Any]:
    try:
        accepted = negotiate(one["header"], **OPTIONS[one["of"]])
    except NotAcceptable as error:
        return {"error": error.message}
    made: dict[str, Any] = {"media_type": accepted.media_type}
    if accepted.form:
        made["as"] = f"{accepted.form}.{accepted.form_version}"
    if accepted.is_pretty:
        made["pretty"] = True
    return made
