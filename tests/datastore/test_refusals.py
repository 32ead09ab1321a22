"""What keeps the datastore from starting: exit code 2, one line that names the thing, no change."""

import asyncio
import hashlib
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.datastore import REPOSITORY, Datastore
from tests.support.ports import free_port
from tests.support.postgres import Postgres


def refused(*flags: str) -> str:
    """Start the datastore, and return the line with which it refuses to."""
    done = subprocess.run(
        [sys.executable, "-m", "datastore", *flags],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def listening() -> tuple[str, str]:
    return ("--listen-client-urls", f"http://127.0.0.1:{free_port()}")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--endpoint", "sqlite:///x.db", "--nonsense"], "--nonsense"),
        (["--endpoint", "oracle://x/y"], "oracle://x/y"),
        (["--endpoint", "not a url"], "not a url"),
        (["--endpoint", "sqlite://host/x.db"], "sqlite:////absolute.db"),
        (["--endpoint", "sqlite:///x.db", "--listen-client-urls", "ftp://h:1"], "ftp://h:1"),
        (["--endpoint", "sqlite:///x.db", "--listen-client-urls", "https://h:1"], "TLS"),
        (["--endpoint", "sqlite:///x.db", "--listen-client-urls", ""], "--listen-client-urls"),
        (["--endpoint", "sqlite:///x.db", "--watch-progress-notify-interval", "x"], "'x'"),
        (["--endpoint", "sqlite:///x.db", "--watch-progress-notify-interval", "1ms"], "100ms"),
        (["--endpoint", "sqlite:///x.db", "--max-txn-ops", "0"], "--max-txn-ops"),
        (["--endpoint", "sqlite:///x.db", "--log-level", "loud"], "loud"),
    ],
)
def test_bad_flags_are_named(flags: list[str], named: str) -> None:
    assert named in refused(*flags)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in refused("--endpoint", "oracle://me:secret@host/x")


def test_a_port_in_use_is_named_and_the_database_not_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        said = refused("--endpoint", f"sqlite:///{tmp_path}/x.db", "--listen-client-urls", url)

    assert f"127.0.0.1:{port}" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/dev/null/socket", id="no-directory"),
        pytest.param("/proc/socket", id="nothing-can-be-made-there"),
        pytest.param(f"/tmp/{'long' * 40}", id="too-long"),
    ],
)
def test_a_socket_that_cannot_be_made_is_named(path: str, tmp_path: Path) -> None:
    said = refused(
        "--endpoint", f"sqlite:///{tmp_path}/x.db", "--listen-client-urls", f"unix://{path}"
    )

    assert path in said
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_socket_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "socket"
    file.write_text("mine")

    said = refused(
        "--endpoint", f"sqlite:///{tmp_path}/x.db", "--listen-client-urls", f"unix://{file}"
    )

    assert str(file) in said
    assert file.read_text() == "mine"


def test_a_second_process_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with Datastore(f"sqlite:///{path}") as first:
        said = refused("--endpoint", f"sqlite:///{path}", *listening())

        assert str(path) in said
        assert f"process {first.pid}" in said


def test_a_file_that_is_no_database_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("precious text, and not a database at all" * 100)
    before = digest(path)

    said = refused("--endpoint", f"sqlite:///{path}", *listening())

    assert f"{path} is not a SQLite database" in said
    assert digest(path) == before


def test_a_foreign_sqlite_database_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    before = digest(path)

    said = refused("--endpoint", f"sqlite:///{path}", *listening())

    assert "recipes" in said
    assert digest(path) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_sqlite_database_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    Datastore(f"sqlite:///{path}").stop()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE tapir_schema SET version_num = '9999'")
    connection.close()
    before = digest(path)

    said = refused("--endpoint", f"sqlite:///{path}", *listening())

    assert "9999" in said
    assert digest(path) == before


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = refused("--endpoint", f"sqlite:///{tmp_path}/nowhere/x.db", *listening())

    assert f"there is no directory {tmp_path}/nowhere" in said


def test_a_directory_in_place_of_the_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()

    assert f"{path} is a directory" in refused("--endpoint", f"sqlite:///{path}", *listening())
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with Datastore(f"sqlite:///{path}"):
        modes = {file.stat().st_mode & 0o777 for file in tmp_path.glob("x.db*")}

    assert modes == {0o600}


def test_a_foreign_postgres_database_is_kept(postgres: Postgres) -> None:
    url = postgres.url("foreign")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")

    said = refused("--endpoint", url, *listening())

    assert "recipes" in said
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == [("recipes",)]


def test_a_newer_postgres_database_is_refused(postgres: Postgres) -> None:
    url = postgres.url("newer")
    Datastore(url).stop()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE tapir_schema SET version_num = '9999'")

    assert "9999" in refused("--endpoint", url, *listening())


def test_a_database_that_refuses_the_user_is_named(postgres: Postgres) -> None:
    url = postgres.url("refused").replace("postgres@", "nobody-here:wrong-password@")

    said = refused("--endpoint", url, *listening())

    assert "nobody-here" in said
    assert "wrong-password" not in said


def test_a_user_who_may_not_make_tables_is_told_what_to_do(postgres: Postgres) -> None:
    url = postgres.url("guarded")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")

    said = refused("--endpoint", url.replace("postgres@", "guest@"), *listening())

    assert 'permission denied for schema public: GRANT USAGE, CREATE ON SCHEMA "public"' in said


def test_a_postgres_that_is_not_there_is_named() -> None:
    port = free_port()

    said = refused("--endpoint", f"postgresql://x@127.0.0.1:{port}/y", *listening())

    assert str(port) in said


async def test_the_socket_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "datastore", "--endpoint", f"sqlite:///{tmp_path}/x.db",
        "--listen-client-urls", f"unix://{path}",
        cwd=REPOSITORY, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b"ready to serve" not in await process.stderr.readline():
        pass
    mode = path.stat().st_mode & 0o777
    process.terminate()
    await process.communicate()

    assert mode == 0o600
    assert process.returncode == 0
    assert not path.exists()
