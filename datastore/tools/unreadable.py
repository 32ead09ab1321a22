"""What it looks like when SQLite cannot make sense of a file, and how that is said.

Its messages quote the schema, so those about a damaged schema may be no text at all: then Python's
driver raises UnicodeDecodeError in place of the error.
"""

import sqlite3

SQLITE_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


def in_one_line(error: Exception) -> str:
    """Return what a database said, without what SQLAlchemy adds."""
    if isinstance(error, UnicodeDecodeError):
        return "its schema is no text"
    return " ".join(str(getattr(error, "orig", error)).split())
