"""`tapir check` finds every kind of damage, names the place, and finds nothing in a sound store."""

import random
import sqlite3
from pathlib import Path

import psycopg
import pytest

from datastore.errors import ConfigError
from datastore.mvcc.auth.model import Permission, Token
from datastore.mvcc.auth.requests import (
    AddRole,
    AddUser,
    EnableAuth,
    GrantPermission,
    GrantRole,
    ManageAuth,
    Management,
    StoreToken,
)
from datastore.mvcc.model import SUB_BITS, DeleteRange, Put, Txn
from datastore.mvcc.requests import GrantLease, WriteRequest
from datastore.tools.check import Checker, check
from datastore.tools.checks import CHECKS
from datastore.tools.read_only import CannotCheck
from tests.datastore.core import Core
from tests.support.datastore import Datastore
from tests.support.soundness import Soundness

E = 1 << SUB_BITS
PEOPLE: tuple[Management, ...] = (
    *(AddUser("root", b"", True), AddRole("r"), GrantRole("root", "root"), GrantRole("root", "r")),
    *(GrantPermission("r", Permission(0, b"a")), EnableAuth()),
)


def event(revision: int, change: str) -> str:
    """The SQL that changes the first event of a revision."""
    return f"UPDATE history SET {change} WHERE id = {revision * E}"


def no_event(first: int, last: int) -> str:
    """The SQL that loses the events of some revisions."""
    return f"DELETE FROM history WHERE id >= {first * E} AND id < {(last + 1) * E}"


def head_of_a(change: str) -> str:
    """The SQL that changes the head of key a."""
    return f"UPDATE kv SET {change} WHERE key = {{a}}"


LAST_OF_11 = 11 * E + 2

# check, the damage in SQL, where it is found, what is said
DAMAGES = [
    ("meta", "UPDATE meta SET pruned_revision = 99", "meta", "pruned_revision 99 is beyond"),
    ("meta", "UPDATE meta SET compact_revision = 99", "meta", "compact_revision 99 is beyond"),
    ("meta", "UPDATE meta SET floor = 0", "meta", "floor is 0"),
    ("meta", "UPDATE meta SET id = 2", "meta", "has 1 rows, not the one of id 1"),
    ("meta", "UPDATE meta SET cluster_id = 0", "meta", "cluster_id is 0"),
    ("revisions", no_event(9, 9), "revision 9", "missing"),
    ("revisions", no_event(8, 9), "revision 8 to 9", "missing"),
    (
        "revisions",
        f"UPDATE history SET id = id + 7 WHERE id = {LAST_OF_11}",
        "revision 11",
        "event 11.9 comes",
    ),
    ("events", event(9, "deleted = 2"), "key a revision 9", "cannot be"),
    ("compacted", event(5, f"prev_id = {3 * E}"), "key kept revision 3", "5 replaced it"),
    ("tombstones", event(3, "deleted = 1"), "key kept revision 3", "left the tombstone"),
    ("heads", head_of_a(f"id = {77 * E}"), "key a revision 77", "history does not have"),
    ("heads", head_of_a(f"id = {7 * E}"), "key a revision 7", "names an event of key b"),
    ("heads", head_of_a("version = 9"), "key a revision 12", "version 9 (history: 1)"),
    ("heads", head_of_a("lease = 1"), "key a revision 12", "lease 1 (history: 0)"),
    ("newest", "DELETE FROM kv WHERE key = {a}", "key a revision 8", "kv does not have"),
    ("newest", head_of_a(f"id = {8 * E}"), "key a revision 9", "it names revision 8"),
    ("links", no_event(8, 8), "key a revision 9", "is gone, and not by compaction"),
    ("links", event(9, f"prev_id = {40 * E}"), "key a revision 9", "is not older"),
    ("links", event(9, f"prev_id = {7 * E}"), "key a revision 9", "another key"),
    ("links", event(9, "version = 5"), "key a revision 9", "do not continue"),
    ("links", event(9, "create_revision = 90"), "key a revision 9", "do not continue"),
    ("links", event(12, "version = 3"), "key a revision 12", "does not begin at version 1"),
    ("links", event(10, "lease = 7"), "key a revision 10", "a tombstone has"),
    ("links", event(10, "prev_id = 0"), "key a revision 10", "that was not there"),
    ("links", event(3, "version = 0"), "key kept revision 3", "cannot be"),
    ("links", event(13, "key = {empty}"), "key x'' revision 13", "empty"),
    ("successors", event(10, f"prev_id = {8 * E}"), "revision 9", "no event follows it"),
    ("successors", event(10, f"prev_id = {8 * E}"), "revision 8", "2 events claim"),
    ("leased", "DELETE FROM lease", "key leased revision 13", "lease 7, which is not there"),
    ("leases", "UPDATE lease SET ttl = 0", "lease 7", "ttl 0 s"),
    ("leases", "UPDATE lease SET deadline = -5", "lease 7", "deadline -5 ms"),
    ("alarms", "INSERT INTO alarm VALUES (5, 9)", "alarm of member 5", "number 9"),
    ("members", "UPDATE member SET name = ''", "member ", "name ''"),
    ("locks", "INSERT INTO lock VALUES ('x', 5, -1)", "lock x", "until -1 ms by member 5"),
    ("moments", "INSERT INTO moment VALUES (5, 99)", "moment 5", "of revision 99, which"),
    ("grants", "DELETE FROM auth_user", "user root", "holds role root: one is not there"),
    ("grants", "DELETE FROM auth_role", "user root", "holds role r"),
    ("permissions", "DELETE FROM auth_role", "role r", "the role is gone"),
    ("permissions", "UPDATE auth_permission SET key = {empty}", "role r", "cannot be"),
    ("permissions", "UPDATE auth_permission SET range_end = {a}", "role r", "cannot be"),
    ("users", "UPDATE auth_user SET no_password = 2", "user root", "cannot be"),
    ("users", "UPDATE auth_user SET password = {a}", "user root", "cannot be"),
    ("users", "UPDATE auth_user SET name = {empty}", "user x''", "cannot be"),
    ("tokens", "DELETE FROM auth_user", "user root", "has a token"),
    ("auth", "DELETE FROM auth_grant", "user root", "without a root"),
    ("auth", "UPDATE meta SET auth_revision = 0", "user root", "cannot be"),
    ("keys", "DROP VIEW keys", "database", "could not be read"),
    ("objects", "DROP VIEW objects", "database", "could not be read"),
]

BEYOND = 1 << 43
# What a column of PostgreSQL would not take, or would not be without.
TYPES = [
    ("types", "UPDATE kv SET key = 'text' WHERE key = {a}", "table kv", "1 rows have a value"),
    ("heads", "UPDATE kv SET key = 'text' WHERE key = {a}", "key 'text'", "names an event of key"),
    ("types", "UPDATE lease SET ttl = 1.5", "table lease", "1 rows have"),
    ("leases", "UPDATE lease SET ttl = 'text'", "lease 7", "ttl text s"),
    ("meta", "UPDATE meta SET floor = 'text'", "meta", "floor is 'text', which no revision"),
    ("meta", f"UPDATE meta SET floor = {BEYOND}", "meta", f"floor is {BEYOND}, which no revision"),
    ("meta", "DELETE FROM meta", "meta", "has 0 rows"),
    ("meta", "DROP TABLE meta", "meta", "could not be read: no such table: meta"),
    ("types", "DROP TABLE history", "database", "could not be read: no such table: history"),
]


def fill(core: Core) -> None:
    """Write some of everything, compacted to revision 6; see the revisions below."""
    core.commit(GrantLease(7, 600))
    core.commit(Put(b"kept", b"2"))
    core.commit(Put(b"kept", b"3"))
    core.commit(Put(b"gone", b"4"))
    core.commit(Put(b"b", b"5"))
    core.commit(DeleteRange(b"gone"))  # 6
    core.commit(Put(b"b", b"7"))
    core.commit(Put(b"a", b"8"))
    core.commit(Put(b"a", b"9"))
    core.commit(DeleteRange(b"a"))  # 10
    core.commit(Txn((), (Put(b"t1"), Put(b"t2"), Put(b"t3")), ()))
    core.commit(Put(b"a", b"12"))
    core.commit(Put(b"leased", b"13", 7))
    core.compact(6)
    core.prune()
    core.commit(*(ManageAuth(change) for change in PEOPLE))
    core.commit(StoreToken(Token(b"t" * 32, "root", 0), 6, 60_000))


@pytest.fixture
def store(database: str) -> str:
    """A store with some of everything."""
    with Core(database) as core:
        fill(core)
    return database


def damage(database: str, sql: str) -> None:
    """Run SQL on the store as somebody with a prompt would."""
    if database.startswith("sqlite"):
        connection = sqlite3.connect(database.removeprefix("sqlite:///"))
        connection.execute(sql.format(a="x'61'", empty="x''"))
        connection.commit()
        connection.close()
        return
    with psycopg.connect(database) as session:
        session.execute(sql.format(a="'\\x61'::bytea", empty="'\\x'::bytea"))


def test_a_sound_store_is_clean(store: str) -> None:
    assert list(check(store)) == []


def test_a_new_store_is_clean(core: Core, database: str) -> None:
    assert core.revision() == 1
    assert list(check(database)) == []


@pytest.mark.parametrize(("name", "sql", "where", "what"), DAMAGES)
def test_damage_is_found_and_named(store: str, name: str, sql: str, where: str, what: str) -> None:
    damage(store, sql)

    found = [finding for finding in check(store) if finding.check == name]

    assert any(where in finding.where and what in finding.what for finding in found), found
    assert all(finding.remedy for finding in found)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("name", "sql", "where", "what"), TYPES)
def test_damage_that_only_a_file_can_have(
    store: str, name: str, sql: str, where: str, what: str
) -> None:
    damage(store, sql)

    found = [finding for finding in check(store) if finding.check == name]

    assert any(where in finding.where and what in finding.what for finding in found), found


def test_every_check_has_its_damage() -> None:
    of_a_file = {"file"} | {name for name, *_ in TYPES}
    assert {check.name for check in CHECKS} == {name for name, *_ in DAMAGES} | of_a_file
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Core(f"sqlite:///{path}") as core:
        for number in range(50):
            core.commit(*(Put(b"%d/%d" % (number, n), b"x" * 300) for n in range(20)))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)

    found = list(check(f"sqlite:///{path}"))

    assert "file" in {finding.check for finding in found}


@pytest.mark.parametrize("seed", range(3))
def test_a_store_is_clean_at_every_step_of_a_compaction(
    core: Core, database: str, seed: int
) -> None:
    """From its own snapshot, beside the server at work, whatever the compaction has left so far."""
    chance = random.Random(seed)
    keys = [b"k%d" % n for n in range(12)]
    with Checker(database) as checker:
        for _ in range(4):
            for _ in range(12):
                core.commit(*_random_writes(chance, keys))
            core.compact(chance.randrange(max(core.compacted(), 1) + 1, core.revision() + 1))
            for _ in range(chance.randrange(12)):
                core.prune_step(chance.randrange(1, 9))
                assert list(checker.findings()) == []


def _random_writes(chance: random.Random, keys: list[bytes]) -> list[WriteRequest]:
    writes: list[WriteRequest] = []
    for _ in range(chance.randrange(1, 6)):
        key = chance.choice(keys)
        both = Txn((), (Put(key), Put(b"t")), ())
        writes.append(chance.choice((Put(key), DeleteRange(key), DeleteRange(key, b"k5"), both)))
    return writes


def test_only_what_is_new_is_judged_on_request(store: str) -> None:
    damage(store, f"UPDATE history SET version = 5 WHERE id = {9 * E}")

    with Checker(store) as checker:
        assert list(checker.findings(since=10)) == []
        assert [finding.check for finding in checker.findings(since=9)] == ["links"]


@pytest.mark.parametrize(
    ("endpoint", "named"),
    [
        ("sqlite:////nowhere/x.db", "/nowhere/x.db: there is no such file"),
        ("oracle://u:secret@h/x", "'oracle://h/x' is not one of sqlite://"),
        ("not a url", "not a url"),
        ("postgresql://u:secret@127.0.0.1:1/x", "datastore postgresql://127.0.0.1:1/x: "),
    ],
)
def test_what_cannot_be_checked_is_named(endpoint: str, named: str) -> None:
    with pytest.raises(ConfigError) as refused:
        list(check(endpoint))

    assert named in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE other (a)")
    connection.close()
    (tmp_path / "text.db").write_text("no database " * 100)

    with pytest.raises(CannotCheck, match="is not a store"):
        list(check(f"sqlite:///{path}"))
    with pytest.raises(CannotCheck, match="not a database"):
        list(check(f"sqlite:///{tmp_path}/text.db"))


def test_the_contract_suite_would_notice() -> None:
    with Datastore() as server, Soundness(server) as soundness:
        soundness.assert_still()
        soundness.assert_still()
        damage(server.endpoint_url, "INSERT INTO alarm VALUES (5, 9)")

        with pytest.raises(AssertionError, match="number 9 is no alarm"):
            soundness.assert_still()
        with pytest.raises(AssertionError, match="the store is not sound"):
            soundness.assert_all()
