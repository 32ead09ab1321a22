"""Very many keys in PostgreSQL or MariaDB, made by the database: what growth is measured on there.

The rows are those that a server leaves which puts one key after the other, as in `large_store`,
and so are their places: what is put again is updated in `kv`.
"""

from typing import NamedTuple

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.model import SUB_BITS
from tests.support.large_store import FIRST_REVISION
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

PLACES = 5
AT_ONCE = 10**PLACES  # keys of a statement
_DIGIT = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"


class Fill(NamedTuple):
    """What keys and values are like."""

    prefix: str
    value_bytes: int


SMALL = Fill("/registry/bench/", 16)


class Spelling(NamedTuple):
    """Rows of numbers n below {some}; the key of number n + {first}; a value."""

    numbers: str
    key: str
    value: str


def fill_tables(
    server: Postgres | Mariadb, database: str, keys: int, updates: int, fill: Fill = SMALL
) -> int:
    """Make a store of `keys` keys, each put once, and then the first `updates` of them again.

    Returns the revision before the updates.
    """
    backend = new_backend(server.url(database), Identity("default", ()))
    backend.open()
    backend.close()
    spelling = _spelling(server, fill)
    for first in range(0, keys, AT_ONCE):
        server.run(*_puts(spelling, first, min(AT_ONCE, keys - first)), database=database)
    for first in range(0, updates, AT_ONCE):
        some = min(AT_ONCE, updates - first)
        server.run(*_updates(spelling, first, some, keys), database=database)
    return FIRST_REVISION + keys - 1


def _puts(spelling: Spelling, first: int, some: int) -> tuple[str, str]:
    """Return the statements that put some keys, from number `first` on, for the first time."""
    numbers, key, value = (part.format(first=first, some=some) for part in spelling)
    made = f"n + {first + FIRST_REVISION}"
    event = f"({made}) * {1 << SUB_BITS}"
    return (
        f"INSERT INTO history SELECT {event}, {key}, {value}, {made}, 1, 0, 0, 0 FROM {numbers}",
        f"INSERT INTO kv SELECT {event}, {key}, {made}, 1, 0, 0 FROM {numbers}",
    )


def _updates(spelling: Spelling, first: int, some: int, keys: int) -> tuple[str, str]:
    """Return the statements that put them for the second time, after `keys` other puts."""
    numbers, key, value = (part.format(first=first, some=some) for part in spelling)
    made = f"n + {first + FIRST_REVISION}"
    event, before = (f"({made} + {later}) * {1 << SUB_BITS}" for later in (keys, 0))
    low, high = (first + at + FIRST_REVISION for at in (0, some))
    return (
        f"INSERT INTO history SELECT {event}, {key}, {value}, {made}, 2, 0, 0, {before}"
        f" FROM {numbers}",
        f"UPDATE kv SET id = id + {keys << SUB_BITS}, version = 2"
        f" WHERE create_revision >= {low} AND create_revision < {high}",
    )


def _spelling(server: Postgres | Mariadb, fill: Fill) -> Spelling:
    if isinstance(server, Postgres):
        return Spelling(
            "generate_series(0::bigint, {some} - 1) numbers(n)",
            f"convert_to('{fill.prefix}' || lpad((n + {{first}})::text, 8, '0'), 'UTF8')",
            f"convert_to(repeat('v', {fill.value_bytes}), 'UTF8')",
        )
    digits = " JOIN ".join(f"{_DIGIT} d{place}" for place in range(PLACES))
    number = " + ".join(f"d{place}.d * {10**place}" for place in range(PLACES))
    return Spelling(
        f"(SELECT {number} AS n FROM {digits} HAVING n < {{some}} ORDER BY n) numbers",
        f"concat('{fill.prefix}', lpad(n + {{first}}, 8, '0'))",
        f"repeat('v', {fill.value_bytes})",
    )
