"""The ways a strategic merge patch can be refused, as API errors.

Upstream answers 400 to a malformed directive, 422 with its generic text to lists of lists, and 500
with the bare text and no reason to everything else. The text is the same here, but what is wrong
with a patch is the client's fault: 400. Called by strategic_merge.py and list_order.py.
"""

from __future__ import annotations

from control_plane.api.errors import BadRequest


class StrategicMergeError(BadRequest):
    """The patch cannot be merged into this object; the text says why."""


class BadDirective(StrategicMergeError):
    """A directive is malformed."""
