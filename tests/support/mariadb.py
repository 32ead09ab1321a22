"""A MariaDB server of a test's own: on a free port, in a directory that goes away with it.

Or a MySQL server, if `TAPIR_MYSQLD` names one (`mysqld.py`).
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import pymysql

from tests.support.mysqld import mysqld
from tests.support.ports import free_port
from tests.support.wait import wait_until

OWNER = "mysql"


class Mariadb:
    """A running server; `stop` ends it and removes its data, `restart` keeps them.

    `url` makes the database of that name if it is not there yet.
    """

    def __init__(self, **settings: str) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-mariadb-"))
        self._kind = mysqld()
        self._settings = {**self._kind.settings, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self._directory, OWNER)
        made = subprocess.run(
            [*self._kind.install, *self._own_options()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=self._environment(),
            check=False,
        )
        assert made.returncode == 0, made.stdout.decode(errors="replace")
        self.start()

    @property
    def is_mysql(self) -> bool:
        """Whether this is MySQL, which knows other settings than MariaDB."""
        return self._kind.mysql

    @property
    def socket(self) -> Path:
        """The server's Unix socket."""
        return self._directory / "socket"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str) -> str:
        """Return the URL of a database, which is created if need be."""
        self.run(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str | None = None) -> tuple[Any, ...]:
        """Run statements as root; return the rows of the last."""
        connection = pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        flags = {
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            "socket": str(self.socket),
            "pid-file": str(self._directory / "pid"),
            **self._settings,
        }
        options = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._kind.serve, *self._own_options(), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
            )
        wait_until(self._answers, "MariaDB")

    def shut(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop the server; SIGKILL is a crash."""
        assert self._process is not None
        self._process.send_signal(signal_number)
        self._process.wait()

    def restart(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop and start again."""
        self.shut(signal_number)
        self.start()

    def stop(self) -> None:
        """End the server and remove its data."""
        if self._process is not None and self._process.poll() is None:
            self.shut(signal.SIGKILL)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        """Temporary tables in a directory of its own: two servers may give theirs one name."""
        return {**os.environ, "TMPDIR": str(self._directory)}

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._directory / "log").read_text()
        try:
            self.run("SELECT 1")
        except pymysql.MySQLError:
            return False
        return True

    def _own_options(self) -> list[str]:
        user = [f"--user={OWNER}"] if os.geteuid() == 0 else []
        return [*user, f"--datadir={self._directory / 'data'}"]
