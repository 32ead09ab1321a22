"""What `--from` can name, and what is said of anything else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datastore.errors import ConfigError
from datastore.tools.endpoint import Server
from datastore.tools.moving.sources import source_of


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("state.db", "state.db: there is no such file, and it is no URL"),
        ("/var/lib/none.db", "/var/lib/none.db: there is no such file"),
        ("sqlite:////var/lib/none.db", "there is no such file: name a store's file"),
        ("sqlite:///", "there is no such file"),
        (".", "Is a directory"),
    ],
)
def test_what_is_not_there(named: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        source_of(Server(named))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("ftp://host:1", "--from 'ftp://host:1': write http://host:port"),
        ("http://host", "--from 'http://host': write http://host:port"),
        ("host:port", "--from 'http://host:port': write http://host:port"),
    ],
)
def test_what_is_no_endpoint(named: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said), source_of(Server(named, flag="from")):
        pass


def test_a_table_of_each_is_too_many(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "both.db")) as connection:
        connection.execute("CREATE TABLE kine (id INTEGER)")
        connection.execute("CREATE TABLE tapir_schema (version_num TEXT)")

    with pytest.raises(ConfigError, match="has the tables of both kine and Tapir"):
        source_of(Server(str(tmp_path / "both.db")))
