"""Regular expressions: RE2's, in time linear in the text."""

from __future__ import annotations

import functools
from typing import Any, Final

import re2

from control_plane.api.cel.errors import EvaluationError

_MAX_PATTERNS: Final = 256


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


@functools.lru_cache(maxsize=_MAX_PATTERNS)
def compiled(pattern: str) -> Any:
    """Return the compiled pattern; EvaluationError when it is none."""
    try:
        return re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        shown = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise EvaluationError(f"error parsing regexp: {shown}") from None
