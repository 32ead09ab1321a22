"""docs/inspect.md does what it says: its queries are run by the shells, on a store that we filled.

The store is filled through our API server and by an etcd client. Of the page only the place of the
store is replaced.
"""

import re
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
import sqlalchemy as sa

from control_plane.api.resources import (
    CONFIGMAPS,
    EVENTS,
    LEASES,
    NAMESPACES,
    PODS,
    SERVICEACCOUNTS,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from datastore.mvcc.model import Put
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.datastore.core import Core
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore

PAGE = Path(__file__).parents[2] / "docs" / "inspect.md"
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
SHELLS = {"sqlite": "sqlite3", "postgresql": "psql", "mysql": "mysql"}
PLAIN = {
    "sqlite3": ".mode list\n",
    "psql": "\\pset format unaligned\n\\pset fieldsep '|'\n\\pset tuples_only on\n",
    "mysql": "",
}
SAID_OF_MODES = ("Output format", "Field separator", "Tuples only")
SECONDS = 60
LEASE = 0x7B
POD_MESSAGE = b"k8s\0\n\x09\n\x02v1\x12\x03Pod\x12\x07\n\x05\n\x03raw"
FULL_SCAN = re.compile(r"SCAN (kv|history)\b(?! USING INDEX kv_lease)|Seq Scan on (kv|history)\b")

Row = tuple[str | None, ...]

# What each query has among its rows; None is what differs from run to run.
SHOWN: dict[str, list[Row]] = {
    "How big is which resource": [("pods", "3", None, None), ("events", "1", None, None)],
    "The biggest objects": [("configmaps", "shop", "prices", None)],
    "What is stored how": [("json", "v1", "Pod", "2"), ("protobuf", "v1", "Pod", "1")],
    "One object": [("v1", "Pod", "shop", "web-0", None, "Pending")],
    "Pods by node": [
        ("node-a", "shop", "web-0", "Pending"),
        ("node-b", "shop", "web-1", "Pending"),
    ],
    "Events of a namespace": [(None, "Normal", "Started", "Pod", "web-0", "it's up")],
    "Who holds the Kubernetes Leases": [("kube-system", "leader", "me", None)],
    "The store's leases and their keys": [("000000000000007b", "600", None, "/locks/one", "4")],
    "What changed last": [(None, None, "delete", "/registry/configmaps/shop/late", "0")],
    "What changed in the last minute": [
        (None, "create", "/registry/configmaps/shop/late", None),
        (None, "delete", "/registry/configmaps/shop/late", "0"),
    ],
    "What changed since a revision": [
        (None, "create", "x'2f72656769737472792f706f64732ffffe'", "2")
    ],
    "The history of one object": [
        (None, "create", "1", None, None),
        (None, "update", "2", None, None),
        (None, "update", "3", None, None),
    ],
}


def sections() -> dict[str, str]:
    return dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.S | re.M))


def blocks(section: str, language: str, shell: str) -> list[str]:
    """The code of a section that is for a shell, or for all of them."""
    found = re.findall(r"^```(.*?)\n(.*?)^```", sections()[section], re.S | re.M)
    marked = [(info.split(), code) for info, code in found]
    return [code for info, code in marked if info[0] == language and shell in (info[1:] or [shell])]


def query(section: str, shell: str) -> str:
    (found,) = blocks(section, "sql", shell)
    return found


QUERIES = [name for name in sections() if blocks(name, "sql", "sqlite3")]


def command(database: str, user: str = "") -> list[str]:
    """The page's command that opens a store, with the place of this one."""
    url = urlsplit(database)
    shell = SHELLS[url.scheme]
    (line,) = blocks("Open it", "sh", shell)
    words = line.split()
    assert words[0] == shell
    if shell == "sqlite3":
        return [*words[:-1], url.path]
    if shell == "psql":
        return ["psql", "-X", database.replace("postgres@", f"{user or 'postgres'}@")]
    words = [*words[:1], "--no-defaults", "--protocol=tcp", "--skip-column-names", *words[1:-2]]
    places = {
        "--host=127.0.0.1": f"--host={url.hostname}",
        "--user=tapir": f"--user={user or 'root'}",
    }
    password = ["--password=change-me"] if user else []
    return [
        *(places.get(word, word) for word in words),
        f"--port={url.port}",
        *password,
        url.path[1:],
    ]


def tell(database: str, sql: str, user: str = "") -> subprocess.CompletedProcess[str]:
    """Give SQL to the shell."""
    argv = command(database, user)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    return subprocess.run(
        argv,
        input=PLAIN[argv[0]] + sql,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment,
    )


def run(database: str, sql: str, user: str = "") -> list[tuple[str, ...]]:
    """Give SQL to the shell, and return the rows that it prints."""
    done = tell(database, sql, user)
    assert (done.returncode, done.stderr) == (0, ""), (sql, done.stderr)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(SAID_OF_MODES)]
    between = "\t" if database.startswith("mysql") else "|"
    return [tuple(line.split(between)) for line in lines]


async def fill(server: Datastore, directory: Path) -> int:
    """Do what the queries ask about; return the revision from which on it is to be recent."""
    async with (
        ApiServer(server.endpoint, directory) as api,
        ApiClient(ClientConfig.from_kubeconfig(api.kubeconfig)) as client,
    ):
        await client.create(NAMESPACES, {"metadata": {"name": "shop"}})
        await client.create(SERVICEACCOUNTS, placed("default"))
        await client.create(LEASES, held())
        for number, node in enumerate(("node-a", "node-b")):
            spec = {"nodeName": node, "containers": [{"name": "c", "image": "busybox"}]}
            await client.create(PODS, {**placed(f"web-{number}"), "spec": spec})
        await client.create(EVENTS, event())
        prices = await client.create(CONFIGMAPS, {**placed("prices"), "data": {"a": "1"}})
        for text in ("2", "x" * 50_000):
            prices = await client.update(CONFIGMAPS, {**prices, "data": {"a": text}})
        late = await client.create(CONFIGMAPS, placed("late"))
        await client.delete(CONFIGMAPS, "late", "shop")
    with grpc.insecure_channel(server.address) as channel:
        put, grant = rpc_pb2_grpc.KVStub(channel).Put, rpc_pb2_grpc.LeaseStub(channel).LeaseGrant
        grant(pb.LeaseGrantRequest(ID=LEASE, TTL=600))
        put(pb.PutRequest(key=b"/locks/one", value=b"mine", lease=LEASE))
        put(pb.PutRequest(key=b"/registry/pods/shop/raw", value=POD_MESSAGE))
        put(pb.PutRequest(key=b"/registry/pods/\xff\xfe", value=b"{}"))
        put(pb.PutRequest(key=b"/registry/secrets/shop/odd", value=bytes(range(256))))
    return int(late["metadata"]["resourceVersion"])


def make_older(database: str, revision: int) -> None:
    """Let all before a revision have been an hour ago."""
    now = int(time.time())
    rows = f"({now - 3600}, 2), ({now - 10}, {revision})"
    statements = ("DELETE FROM moment", f"INSERT INTO moment (time, revision) VALUES {rows}")
    for scheme, driver in DRIVERS.items():
        database = database.replace(f"{scheme}://", f"{driver}://")
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def placed(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}}


def held() -> dict[str, Any]:
    spec = {"holderIdentity": "me", "renewTime": "2026-01-01T00:00:00.000000Z"}
    return {**placed("leader", "kube-system"), "spec": spec}


def event() -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": "shop", "name": "web-0"}
    return {
        **placed("web-0.1"),
        **{"involvedObject": about, "type": "Normal", "reason": "Started", "message": "it's up"},
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }


def matches(row: tuple[str, ...], wanted: Row) -> bool:
    fields = zip(row, wanted, strict=False)
    return len(row) == len(wanted) and all(want in (None, field) for field, want in fields)


def test_every_query_is_asked_for() -> None:
    assert set(QUERIES) == set(SHOWN)
    for name in QUERIES:
        for shell in SHELLS.values():
            assert query(name, shell)
        assert sections()[name].lstrip().startswith(("Cheap", "Full scan"))


@pytest.mark.parametrize("database", list(SHELLS), indirect=True)
async def test_the_shells_answer(database: str, tmp_path: Path) -> None:
    shell = SHELLS[urlsplit(database).scheme]
    with Datastore(database) as server:
        make_older(database, await fill(server, tmp_path / "cluster"))
        found = {name: run(database, query(name, shell)) for name in QUERIES}

        for name, wanted in SHOWN.items():
            for row in wanted:
                assert any(matches(row_, row) for row_ in found[name]), (name, found[name])
    assert matches(found["The biggest objects"][0], SHOWN["The biggest objects"][0])
    late = {row[2] for row in found["What changed in the last minute"]}
    assert not [key for key in late if "web-0" in key or "prices" in key]
    assert [row[1] for row in found["The history of one object"]] == ["create", "update", "update"]


@pytest.mark.usefixtures("core")
def test_cheap_queries_scan_no_table(database: str) -> None:
    """However small the store: PostgreSQL is told to scan only where there is no other way."""
    shell = SHELLS[urlsplit(database).scheme]
    explain = {"sqlite3": "EXPLAIN QUERY PLAN ", "psql": "SET enable_seqscan = off; EXPLAIN "}
    for name in QUERIES:
        rows = run(database, explain[shell] + query(name, shell))
        plan = "\n".join("|".join(row) for row in rows)
        scans = FULL_SCAN.search(plan) is not None
        if name == "What changed last" and shell == "sqlite3":
            assert "USE TEMP B-TREE" not in plan  # a scan in order, which LIMIT ends
        elif sections()[name].lstrip().startswith("Cheap"):
            assert not scans, (name, plan)


# What may end a query early, and what the shell says then.
LIMITS = {
    "psql": ("30s", "300ms", "SELECT pg_sleep(60)", "statement timeout"),
    "mysql": ("STATEMENT_TIME 30", "STATEMENT_TIME 0.3", "SELECT SLEEP(60)", "max_statement_time"),
}
OF_MARIADB = " WITH MAX_STATEMENT_TIME 30"  # which MySQL has not, as the page says
REFUSED = (
    "SELECT * FROM auth_user",
    "SELECT * FROM token",
    "DELETE FROM kv",
    "DELETE FROM changes",
    "SET default_transaction_read_only = off; DELETE FROM history",
)


@pytest.mark.parametrize("database", ["postgresql", "mysql"], indirect=True)
def test_the_role_reads_and_no_more(
    database: str, core: Core, request: pytest.FixtureRequest
) -> None:
    shell = SHELLS[urlsplit(database).scheme]
    (role,) = blocks("A role that only reads", "sql", f"role-{shell}")
    limited = shell == "psql" or not request.getfixturevalue("mariadb").is_mysql
    if not limited:
        role = role.replace(OF_MARIADB, "")
    core.commit(Put(b"/registry/pods/shop/web-0", b"{}"))

    run(database, role.replace("tapir.", f"{urlsplit(database).path[1:]}."))

    for name in QUERIES:
        run(database, query(name, shell), "reader")
    for refused in REFUSED:
        assert "ERROR" in tell(database, refused, "reader").stderr, refused
    if limited:
        assert_limited(database, role)


def assert_limited(database: str, role: str) -> None:
    """A query that takes too long is ended."""
    long, short, sleep, said = LIMITS[SHELLS[urlsplit(database).scheme]]
    (limit,) = [line for line in role.splitlines() if long in line]
    run(database, limit.replace(long, short).replace("CREATE USER", "ALTER USER"))
    assert said in tell(database, sleep, "reader").stderr
