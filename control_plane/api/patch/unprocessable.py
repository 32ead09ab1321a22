"""The 422 with empty details that a patch gets when it is well-formed but cannot be applied.

Called by json_patch.py and strategic_errors.py. Source: the API server's generic server response.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.errors import Invalid

REJECTED: Final = "the server rejected our request due to an error in our request"


def unprocessable() -> Invalid:
    """Return the error; it names neither the object nor the reason, as upstream's does not."""
    return Invalid(REJECTED, details={})
