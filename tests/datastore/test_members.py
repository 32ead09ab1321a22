"""The rows of servers that are gone: not shown, and removed in the end by the server that leads."""

from typing import Any

from datastore.mvcc.leadership import LOCK, LOCK_MS
from datastore.mvcc.membership import ALIVE_MS, KEPT_MS
from datastore.mvcc.requests import ForgetMembers, HoldLock
from proto.etcd import rpc_pb2 as pb
from tests.datastore.client import client_of
from tests.datastore.core import Core
from tests.support.datastore import Datastore
from tests.support.mariadb import Mariadb
from tests.support.postgres import Postgres

HOUR_MS = 3_600_000


def silence(server: Postgres | Mariadb, name: str, member: int, milliseconds: int) -> None:
    """Let a server's last sign of life be older by so much."""
    server.run(
        f"UPDATE member SET heartbeat = heartbeat - {milliseconds} WHERE id = {member}",
        database=name,
    )


def known(core: Core) -> set[int]:
    """Return the ids of all member rows."""
    with core.session.snapshot() as snapshot:
        return {member.id for member in snapshot.members()}


def test_whoever_leads_removes_what_nobody_has_used_for_a_day(
    server: Postgres | Mariadb, name: str
) -> None:
    url = server.url(name)
    with Core(url) as here, Core(url) as days_ago, Core(url) as an_hour_ago, Core(url) as idle:
        ids = [core.backend.member_id for core in (here, days_ago, an_hour_ago, idle)]
        for core, gone in ((here, KEPT_MS), (days_ago, KEPT_MS), (an_hour_ago, 0)):
            silence(server, name, core.backend.member_id, gone + HOUR_MS)
        here.commit(HoldLock(LOCK, LOCK_MS, extend=False))
        removed: list[Any] = []
        for core in (idle, here, here):
            removed += core.commit(ForgetMembers())
        left = known(here)
        here.session.say_alive()
        last = here.session.last_batch()

    assert len(set(ids)) == 4
    assert removed == [[], [ids[1]], []]
    assert left == {ids[0], ids[2], ids[3]}
    assert last > 0


async def test_the_list_of_members_shows_who_is_alive(
    server: Postgres | Mariadb, name: str
) -> None:
    url = server.url(name)
    with Datastore(url, ["--name", "one"]) as one, Datastore(url, ["--name", "two"]) as two:
        async with client_of(one.address) as client:
            both = await client.cluster.MemberList(pb.MemberListRequest())
            two.kill()
            for member in both.members:  # the own one, too, may have been away
                silence(server, name, member.ID, 2 * ALIVE_MS)
            alone = await client.cluster.MemberList(pb.MemberListRequest())

    assert {member.name for member in both.members} == {"one", "two"}
    assert [member.name for member in alone.members] == ["one"]
    assert server.run("SELECT count(*) FROM member", database=name) == ((2,),)
