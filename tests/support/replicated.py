"""A PostgreSQL primary with a synchronous standby, which take each other's place."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import psycopg

from tests.support.ports import free_port
from tests.support.postgres import OWNER, postgres_programs

SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"


class Replicated:
    """Two servers: whatever the primary acknowledges is on the standby too."""

    def __init__(self) -> None:
        self._programs = postgres_programs()
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-replicated-"))
        self._ports = [free_port(), free_port()]
        self._primary = 0
        if os.geteuid() == 0:
            shutil.chown(self._directory, OWNER)
        self._run(
            "initdb", "-D", self._data(0), "-A", "trust", "-U", OWNER, "--no-sync", "--locale=C",
            "--encoding=UTF8",
        )  # fmt: skip
        self._start(0)
        self._admin("CREATE DATABASE store")
        # Before the standby is made: its copy of the settings is what it has when it is promoted.
        self._admin(SYNCHRONOUS, "SELECT pg_reload_conf()")
        self._follow()

    @property
    def url(self) -> str:
        """The URL of a database on whichever is the primary."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"postgresql://{OWNER}@{hosts}/store"

    def fail_over(self) -> None:
        """Lose the primary, promote the standby, and make a new standby in the lost one's place.

        Until that one follows no commit is acknowledged.
        """
        lost = self._primary
        self._run("pg_ctl", "stop", "-w", "-D", self._data(lost), "-m", "immediate")
        self._primary = 1 - lost
        self._run("pg_ctl", "promote", "-w", "-D", self._data(self._primary))
        shutil.rmtree(self._data(lost))
        self._follow()

    def stop(self) -> None:
        """End both, and remove them."""
        for node in (0, 1):
            if (self._data(node) / "postmaster.pid").exists():
                self._run("pg_ctl", "stop", "-w", "-D", self._data(node), "-m", "immediate")
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _follow(self) -> None:
        """Make a standby of the primary, and start it."""
        primary = f"host=127.0.0.1 port={self._ports[self._primary]} user={OWNER}"
        standby = 1 - self._primary
        self._run(
            "pg_basebackup", "-d", primary, "-D", self._data(standby), "-R", "-X", "stream",
            "-c", "fast", "--no-sync",
        )  # fmt: skip
        self._start(standby)

    def _start(self, node: int) -> None:
        flags = {"port": self._ports[node], "listen_addresses": "127.0.0.1",
                 "unix_socket_directories": self._directory}  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in flags.items())
        log = self._directory / f"log{node}"
        self._run("pg_ctl", "start", "-w", "-D", self._data(node), "-l", log, "-o", options)

    def _data(self, node: int) -> Path:
        return self._directory / f"data{node}"

    def _admin(self, *statements: str) -> None:
        url = f"postgresql://{OWNER}@127.0.0.1:{self._ports[self._primary]}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", OWNER, "--", *command]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd="/"
        )
