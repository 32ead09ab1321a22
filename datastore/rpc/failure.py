"""What a call that raised ends with; the fronts send it."""

from __future__ import annotations

import logging

from datastore.errors import DatastoreError

log = logging.getLogger(__name__)


def failure(error: Exception) -> tuple[str, str]:
    """Return the status code's name and the text; an error that is not the client's is logged."""
    if isinstance(error, DatastoreError):
        return error.code, str(error)
    log.error("internal error in a call", exc_info=error)
    return "UNKNOWN", f"Unexpected {type(error)}: {error}"
