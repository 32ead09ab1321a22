"""`tapir check` on MariaDB: a damage for each check, each in the same store made anew.

All of `test_check` were found when this was written; their statements are the same on every
database, so one for each is enough.
"""

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from datastore.tools.check import check
from tests.datastore.core import Core
from tests.datastore.test_check import DAMAGES, fill
from tests.support.mariadb import Mariadb

VIEWS = ("keys", "objects")
ONE_EACH = list({name: (name, *rest) for name, *rest in DAMAGES}.values())
RESERVED = (("INTO lock ", "INTO `lock` "), ("VIEW keys", "VIEW `keys`"), (" key =", " `key` ="))


class Original:
    """A sound store, and how to have it back after a damage."""

    def __init__(self, server: Mariadb, name: str) -> None:
        self.url = server.url(name)
        self._server, self._name = server, name
        with Core(self.url) as core:
            fill(core)
        shown = "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
        tables = [row[0] for row in self.run(f"{shown} AND table_type = 'BASE TABLE'")]
        self._rows = {table: self.run(f"SELECT * FROM `{table}`") for table in tables}
        self._views = [self.run(f"SHOW CREATE VIEW `{view}`")[0][1] for view in VIEWS]

    def run(self, *statements: str) -> tuple[Any, ...]:
        """Run SQL as somebody with a prompt would."""
        return self._server.run(*statements, database=self._name)

    def make_anew(self) -> None:
        """Give every table its rows, and every view its text."""
        self.run(
            *(f"DELETE FROM `{table}`" for table in self._rows),
            *(_insert(table, rows) for table, rows in self._rows.items() if rows),
            *(f"DROP VIEW IF EXISTS `{view}`" for view in VIEWS),
            *self._views,
        )


def _insert(table: str, rows: tuple[Any, ...]) -> str:
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"INSERT INTO `{table}` VALUES {values}"


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return "NULL" if value is None else pymysql.converters.escape_item(value, "utf8mb4")


@pytest.fixture(scope="module")
def original(mariadb: Mariadb) -> Original:
    """The store, for all of them."""
    return Original(mariadb, "checked")


@pytest.fixture
def store(original: Original) -> Iterator[Original]:
    """The store, sound."""
    yield original
    original.make_anew()


def test_a_sound_store_is_clean(store: Original) -> None:
    assert list(check(store.url)) == []
    store.make_anew()
    assert list(check(store.url)) == []


@pytest.mark.parametrize(("name", "sql", "where", "what"), ONE_EACH)
def test_damage_is_found_and_named(
    store: Original, name: str, sql: str, where: str, what: str
) -> None:
    for word, quoted in RESERVED:
        sql = sql.replace(word, quoted)
    store.run(sql.format(a="x'61'", empty="x''"))

    found = [finding for finding in check(store.url) if finding.check == name]

    assert any(where in finding.where and what in finding.what for finding in found), found
    assert all(finding.remedy for finding in found)
