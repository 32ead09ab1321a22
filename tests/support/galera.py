"""A Galera cluster of MariaDB nodes on 127.0.0.1, any of which may be killed and brought back.

All nodes begin with copies of one data directory, and believe that they were a cluster before, so
nothing has to be transferred when they find each other. A node that was killed finds in InnoDB
up to where it had come, and gets what it missed from another one's memory.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid1

import pymysql

from tests.support.mariadb import OWNER
from tests.support.mysqld import Mysqld, mysqld
from tests.support.ports import free_port
from tests.support.servers import missing_server
from tests.support.wait import wait_until

NODES = 3
PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib/libgalera_smm.so")
SYNCED = "4"  # wsrep_local_state
TIMES = {  # half of what is usual: a node that is silent for suspect_timeout counts as lost
    "evs.keepalive_period": "PT0.5S",
    "evs.inactive_check_period": "PT0.25S",
    "evs.suspect_timeout": "PT2.5S",
    "evs.inactive_timeout": "PT7S",
    "evs.install_timeout": "PT7S",
    "gcache.size": "64M",
}
STATE = """# GALERA saved state
version: 2.1
uuid:    {}
seqno:   0
safe_to_bootstrap: 0
"""
VIEW = """my_uuid: {}
#vwbeg
view_id: 3 {} 3
bootstrap: 0
{}#vwend
"""
_RECOVERED = re.compile(r"Recovered position: *(\S+)")
_POSITION = re.compile(r"^(uuid|seqno): *(\S+)$", re.MULTILINE)


def _provider() -> str:
    found = next(filter(os.path.exists, PROVIDERS), None)
    if found is None:
        missing_server("Galera is not installed (Debian package galera-4)")
    return found


def _kind() -> Mysqld:
    kind = mysqld()
    if kind.mysql:
        missing_server("Galera is MariaDB's here, and TAPIR_MYSQLD names another server")
    return kind


class Node:
    """One of the cluster's servers; its directory outlives its process."""

    def __init__(self, directory: Path, cluster: str) -> None:
        self.directory = directory
        self.port, self.gossip = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        own = {
            **TIMES,
            "base_port": self.gossip,
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.gossip}",
            "ist.recv_addr": f"127.0.0.1:{free_port()}",
        }
        self._settings = {
            **_kind().settings,
            "datadir": self.data,
            "port": self.port,
            "bind_address": "127.0.0.1",
            "socket": directory / "socket",
            "pid_file": directory / "pid",
            "binlog_format": "ROW",
            "innodb_autoinc_lock_mode": 2,
            "wsrep_on": "ON",
            "wsrep_cluster_name": cluster,
            "wsrep_node_name": directory.name,
            "wsrep_node_address": "127.0.0.1",
            "wsrep_provider": _provider(),
            "wsrep_provider_options": ";".join(f"{name}={value}" for name, value in own.items()),
            "wsrep_sst_method": "rsync",
            "wsrep_sst_receive_address": f"127.0.0.1:{free_port()}",
        }

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, peers: Iterable["Node"], position: str = "") -> None:
        """Start as a member of the cluster of some nodes, or as its first for none."""
        given = {"wsrep_start_position": position} if position else {}
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(_address(peers), **given), stdout=log, stderr=log, cwd="/"
            )

    def wait(self) -> None:
        """Return when it is in step with the cluster."""
        wait_until(self._synced, "a node of Galera")

    def shut(self, signal_number: int = signal.SIGTERM) -> None:
        """Stop it; SIGKILL is a crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait()

    def position(self) -> str:
        """Return, while it is down, up to where it has come."""
        state = dict(_POSITION.findall((self.data / "grastate.dat").read_text()))
        if state["seqno"] != "-1":
            return f"{state['uuid']}:{state['seqno']}"
        command = [*self._command(_address([self])), "--wsrep-recover"]
        run = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
        found = _RECOVERED.search(run.stdout + run.stderr)
        assert found, run.stderr
        return found[1]

    def run(self, *statements: str, database: str | None = None) -> tuple[Any, ...]:
        """Run statements as root; return the rows of the last."""
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            connect_timeout=5,
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())

    def status(self, name: str) -> str:
        """Return one of its wsrep_ status values."""
        return str(self.run(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    def sees(self, count: int) -> bool:
        """Say whether it is in step with a cluster of so many nodes."""
        return self._synced() and self.status("wsrep_cluster_size") == str(count)

    def _synced(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()[-5000:]
        try:
            return self.status("wsrep_local_state") == SYNCED
        except pymysql.MySQLError:
            return False

    def _command(self, address: str, **more: str) -> list[str]:
        settings = {**self._settings, "wsrep_cluster_address": address, **more}
        user = [f"--user={OWNER}"] if os.geteuid() == 0 else []
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        return [*_kind().serve, *user, *options]


class Galera:
    """The nodes of a running cluster; `stop` ends them and removes their data."""

    def __init__(self) -> None:
        _provider()
        self._directory = Path(tempfile.mkdtemp(prefix="tapir-galera-"))
        names = [self._directory / f"node{number}" for number in range(NODES)]
        self.nodes = [Node(name, self._directory.name) for name in names]
        for node in self.nodes:
            node.directory.mkdir()
        self._install()
        for node in self.nodes:
            node.start(self.nodes, node.position())
        for node in self.nodes:
            node.wait()

    def url(self, database: str, first: int = 0) -> str:
        """Return the URL of a database, created if need be, on all nodes from one on."""
        self.nodes[first].run(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        nodes = self.nodes[first:] + self.nodes[:first]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        return f"mysql://root@{hosts}/{database}"

    def lose(self, node: Node) -> None:
        """Kill a node."""
        node.shut(signal.SIGKILL)

    def find(self, node: Node) -> None:
        """Bring a lost node back, and wait until it is in step again."""
        node.start(self.nodes, node.position())
        node.wait()

    def settle(self) -> None:
        """Return when every node is in step with all others, as each of them sees it."""
        for node in self.nodes:
            wait_until(partial(node.sees, NODES), "the cluster")

    def stop(self) -> None:
        """End it."""
        for node in self.nodes:
            node.shut(signal.SIGKILL)
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _install(self) -> None:
        """Make one data directory, and give every node a copy, as if they had just gone down."""
        first, *others = self.nodes
        user = [f"--user={OWNER}"] if os.geteuid() == 0 else []
        command = [*_kind().install, *user, f"--datadir={first.data}"]
        _give(self._directory, *(node.directory for node in self.nodes))
        made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        assert made.returncode == 0, made.stdout + made.stderr
        for node in others:
            shutil.copytree(first.data, node.data)
        cluster, members = uuid1(), [uuid1() for _ in self.nodes]
        view = "".join(f"member: {member} 0\n" for member in members)
        for node, member in zip(self.nodes, members, strict=True):
            (node.data / "grastate.dat").write_text(STATE.format(cluster))
            (node.data / "gvwstate.dat").write_text(VIEW.format(member, members[0], view))
            _give(node.data, *node.data.rglob("*"))


def _give(*paths: Path) -> None:
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, OWNER)


def _address(peers: Iterable[Node]) -> str:
    return "gcomm://" + ",".join(f"127.0.0.1:{peer.gossip}" for peer in peers)
