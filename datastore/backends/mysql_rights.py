"""What MySQL refuses at the start, as one line with the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.backends.mysql_connection import Trouble, code_of, said
from datastore.errors import StartError

if TYPE_CHECKING:
    from datastore.backends.mysql_target import Target

_DENIED = {1044, 1142, 1143, 1227, 1370}


def refusal(target: Target, error: Exception) -> StartError:
    """Return what to say of the driver's error, or of one of ours that it caused."""
    why = said(error) if isinstance(error, Trouble) else str(error)
    return StartError(f"datastore {target.name}: {why}: {_remedy(error)}")


def _remedy(error: Exception) -> str:
    if isinstance(error, Trouble) and code_of(error) in _DENIED:
        return "grant the user all privileges on the database"
    return "check the server and the URL"
