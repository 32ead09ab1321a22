"""Names of statements by their text, for metrics: those in `Statements`, or their verb."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from datastore.backends.statements import Prepared

if TYPE_CHECKING:
    from datastore.backends.statements import Statements

OTHER = "other"


def name_of(statements: Statements, text: str) -> str:
    """Return the name of a statement, never with anything of its values in it."""
    auth = ((f"auth_{name}", value) for name, value in vars(statements.auth).items())
    for name, value in chain(vars(statements).items(), auth):
        if isinstance(value, Prepared) and value.sql == text:
            return name
    return statements.made.get(text) or _verb(text)


def _verb(text: str) -> str:
    """Name what has no name: `insert_history`, `begin`, `page_count`."""
    words = text.split(None, 3)
    verb = words[0].lower()
    if len(words) == 1:
        return verb
    if verb == "insert":
        return "insert_" + words[2].strip("`" + '"')
    if verb == "pragma":
        return words[1].partition("=")[0].partition("(")[0]
    return verb if verb in ("begin", "start", "commit", "rollback", "fetch") else OTHER
