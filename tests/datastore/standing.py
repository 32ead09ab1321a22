"""What tests do to a server's standing at a database that servers share."""

from datastore.backends.ear import unseen
from tests.datastore.core import Core
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres


def cut_off(server: Postgres | Mariadb, name: str) -> None:
    """End all connections to a database."""
    if isinstance(server, Postgres):
        server.run(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        return
    for (number,) in server.run(
        f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    ):
        server.run(f"KILL {number}")


def hear_once(core: Core) -> str:
    """Let the server listen until it hears something; return what it says of its database then."""
    heard: list[None] = []
    core.backend.listen(
        lambda: heard.append(None), lambda: bool(heard or core.backend.broken), unseen
    )
    return core.backend.broken
