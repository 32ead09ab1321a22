"""A PostgreSQL cluster of a test's own: on a free port, in a directory that goes away with it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.support.ports import free_port
from tests.support.servers import missing_server

OWNER = "postgres"


def postgres_programs() -> Path:
    """Return the directory of initdb and pg_ctl; skip the test if there is none."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if newest:
        return newest[-1].parent
    found = shutil.which("initdb")
    if found is None:
        missing_server("PostgreSQL is not installed (Debian package postgresql)")
    return Path(found).parent


class Postgres:
    """A running cluster; `stop` ends it and removes its data, `restart` keeps them.

    `url` makes the database of that name if it is not there yet.
    """

    def __init__(self, **settings: str) -> None:
        self._programs = postgres_programs()
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-postgres-"))
        self._data = self._directory / "data"
        self._settings = {"max_connections": "200", **settings}
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self._directory, OWNER)
        self._run(
            "initdb", "-D", self._data, "-A", "trust", "-U", OWNER, "--no-sync", "--locale=C",
            "--encoding=UTF8",
        )  # fmt: skip
        self.start()

    def url(self, database: str) -> str:
        """Return the URL of a database, which is created if need be."""
        admin = f"postgresql://{OWNER}@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(admin, autocommit=True) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (database,)
            ).fetchone()
            if not known:
                connection.execute(f'CREATE DATABASE "{database}"')
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> tuple[Any, ...]:
        """Run statements as the superuser, each by itself; return the rows of the last."""
        url = f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            return tuple(cursor.fetchall()) if cursor.description else ()

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def forget_pid(self) -> None:
        """Remove what a server leaves that was killed: pg_ctl complains of it."""
        (self._data / "postmaster.pid").unlink()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        flags = {"port": str(self.port), "listen_addresses": "127.0.0.1", **self._settings}
        flags["unix_socket_directories"] = str(self._directory)
        options = " ".join(f"-c {name}={value}" for name, value in flags.items())
        log = self._directory / "log"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", log, "-o", options)

    def shut(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-D", self._data, "-m", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start again."""
        self.shut(mode)
        self.start()

    def stop(self) -> None:
        """End the cluster and remove it."""
        if (self._data / "postmaster.pid").exists():
            self.shut("immediate")
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", OWNER, "--", *command]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/"
        )
