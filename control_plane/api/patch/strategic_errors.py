"""The three ways a strategic merge patch can be refused, as API errors.

Upstream answers 400 to a malformed directive, 422 with its generic text to lists of lists, and 500
with the bare text and no reason to everything else. Called by strategic_merge.py and list_order.py.
"""

from __future__ import annotations

from control_plane.api.errors import ApiError, BadRequest


class StrategicMergeError(ApiError):
    """500: the patch cannot be merged into this object; the text says why."""


class BadDirective(StrategicMergeError):
    """400: a directive is malformed."""

    code, reason = BadRequest.code, BadRequest.reason
