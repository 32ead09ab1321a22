"""docs/migrate.md does what it says: its commands are run, on a kine as k3s leaves it.

Only what belongs to the reader's machine is replaced: paths, ports, URLs, and systemctl.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from tests.datastore.moving.kine import Kine, fill
from tests.datastore.moving.sides import client_of
from tests.support.datastore import Datastore
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.wait import wait_until
from tests.test_datastore_page import replaced, running

PAGE = Path(__file__).parents[1] / "docs" / "migrate.md"
K3S = "/var/lib/rancher/k3s/server/db/state.db"


def script(section: str) -> str:
    """The commands of a section."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    (found,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return str(found)


def values(address: str) -> dict[bytes, bytes]:
    """Every key of a server."""
    with client_of(address) as client:
        return client.values_by_key()


def expected(kine: Kine) -> dict[bytes, bytes]:
    """Every key that a client of kine sees."""
    return {key: value for key, (value, *_) in kine.expected().items()}


def test_three_commands_move_a_k3s(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        kine = Kine("sqlite", connection)
        fill(kine)
    address = f"127.0.0.1:{free_port()}"
    commands = replaced(
        script("From k3s"),
        {
            K3S: tmp_path / "state.db",
            "/var/lib/tapir": tmp_path,
            "127.0.0.1:2379": address,
            "systemctl stop k3s": "true",
        },
    )
    assert len(commands.strip().splitlines()) == 3

    with running(commands, tmp_path) as log:
        wait_until(lambda: "ready to serve" in log.read_text(), "the server")
        assert values(address) == expected(kine)
        assert f"at revision {kine.revision}" in log.read_text()


def test_a_kine_on_postgresql_moves_into_another_database(tmp_path: Path) -> None:
    with Postgres() as cluster:
        with psycopg.connect(cluster.url("kine")) as connection:
            kine = Kine("postgresql", connection)
            fill(kine)
        commands = replaced(
            script("From kine or rhino on PostgreSQL or MySQL"),
            {
                "postgresql://kine:s3cr3t@127.0.0.1/kine": cluster.url("kine"),
                "postgresql://tapir:s3cr3t@127.0.0.1/kube": cluster.url("kube"),
            },
        )

        with running(commands, tmp_path), Datastore(cluster.url("kube")) as server:
            assert values(server.address) == expected(kine)
