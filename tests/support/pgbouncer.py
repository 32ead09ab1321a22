"""PgBouncer in transaction mode before a test's PostgreSQL: no connection is a client's own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.support.ports import free_port
from tests.support.postgres import OWNER
from tests.support.servers import missing_server

START_SECONDS = 60.0
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {size}
server_round_robin = 1
server_idle_timeout = 5
max_client_conn = 500
admin_users =
logfile = {directory}/log
"""


class PgBouncer:
    """A running pooler with `size` connections a database; each transaction gets the next one."""

    def __init__(self, database_port: int, size: int = 12) -> None:
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        if not Path(program).exists():
            missing_server("PgBouncer is not installed (Debian package pgbouncer)")
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-pgbouncer-"))
        self.port = free_port()
        configuration = self._directory / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                database=database_port, port=self.port, size=size, directory=self._directory
            )
        )
        users = self._directory / "users"
        users.write_text(f'"{OWNER}" ""\n')
        command = [program, "-q", str(configuration)]
        if os.geteuid() == 0:  # it refuses to run as root
            shutil.chown(self._directory, OWNER)
            command = [
                "setpriv",
                f"--reuid={OWNER}",
                f"--regid={OWNER}",
                "--clear-groups",
                *command,
            ]
        self._command = command
        self._start()

    def url(self, url: str) -> str:
        """Return the URL that leads to the same database through the pooler."""
        before, _, rest = url.rpartition(":")
        return f"{before}:{self.port}/{rest.partition('/')[2]}"

    def restart(self) -> None:
        """Kill it, with all its connections, and start it again."""
        self._process.kill()
        self._process.wait()
        self._start()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, cwd="/")
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < deadline, "PgBouncer does not listen"
            time.sleep(0.02)
