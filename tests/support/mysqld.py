"""What `Mariadb` starts: Debian's MariaDB, or the MySQL server that `TAPIR_MYSQLD` names.

`make mysql` names the one that `tests/install-mysql.sh` unpacks.
"""

import os
import shutil
from typing import NamedTuple

from tests.support.servers import missing_server

MYSQLD = "TAPIR_MYSQLD"
_SMALL = {  # a small store, which need not survive the machine
    "innodb_buffer_pool_size": "64M",
    "innodb_flush_method": "nosync",
    "performance_schema": "OFF",
    "max_connections": "300",
}


class Mysqld(NamedTuple):
    """The command lines of a kind of server, but for what both kinds have; `mysql`: not MariaDB."""

    mysql: bool
    install: tuple[str, ...]
    serve: tuple[str, ...]
    settings: dict[str, str]


def mysqld() -> Mysqld:
    """Return the server of this run; skip the test if there is none."""
    path = os.environ.get(MYSQLD)
    return _mysql(path) if path else _mariadb()


def _mysql(path: str) -> Mysqld:
    serve = (path, "--no-defaults")
    own = {"innodb_redo_log_capacity": "64M", "mysqlx": "OFF", "secure_file_priv": "NULL"}
    return Mysqld(True, (*serve, "--initialize-insecure"), serve, {**_SMALL, **own})


def _mariadb() -> Mysqld:
    install = (
        _program("mariadb-install-db"),
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
    )
    serve = (_program("mariadbd"), "--no-defaults")
    return Mysqld(False, install, serve, {**_SMALL, "innodb_log_file_size": "16M"})


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        missing_server("MariaDB is not installed (Debian package mariadb-server)")
    return found
