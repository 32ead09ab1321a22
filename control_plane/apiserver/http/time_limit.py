"""How long a request may take before its answer: the `timeout` parameter, at most a minute.

Streams are not bounded by it: only the time until a handler has its answer counts. Pure but for
the name of the parameter. Source: the request deadline of Kubernetes v1.35.
"""

import re

from control_plane.api.errors import BadRequest
from control_plane.apiserver.http.query import Query

LONGEST_SECONDS = 60.0
_UNITS = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|ms|s|m|h)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def time_limit(query: Query) -> float:
    """Seconds until the deadline; raises BadRequest for a timeout that is no duration."""
    text = query.text("timeout")
    if not text or text == "0":
        return LONGEST_SECONDS
    if not _WHOLE.fullmatch(text):
        raise BadRequest(
            "invalid timeout specified in the request URL - time: invalid duration " + f'"{text}"'
        )
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return min(seconds, LONGEST_SECONDS) or LONGEST_SECONDS
