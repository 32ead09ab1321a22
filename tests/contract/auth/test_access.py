"""What a user may do with keys: ranges, unions, transactions, leases, watches.

The user of a table has READ on [r, s), WRITE on [w, x), both on [b, c), and on single keys and
unions as named.
"""

from typing import Any

import pytest
from grpc_health.v1 import health_pb2

from proto.etcd import rpc_pb2 as pb
from tests.contract.auth import refusals as no
from tests.contract.auth.client import READ, READWRITE, WRITE, AuthClient, sent
from tests.contract.auth.conftest import Login
from tests.contract.client import refusal
from tests.contract.refusals import (
    DUPLICATE_KEY,
    FUTURE_REVISION,
    KEY_NOT_FOUND,
    KEY_NOT_PROVIDED,
    LEASE_NOT_FOUND,
    REQUEST_TOO_LARGE,
)
from tests.contract.requests import Delete, If, Op, Put, Range, Txn

LARGEST_PUT = 1_572_864 - 18  # bytes of a request, nobody's
PUT_FIELDS = 2 + 4  # tags and lengths of the key and of a large value
GRANTS = (
    (READ, "r", "s"),
    (WRITE, "w", "x"),
    (READWRITE, "b", "c"),
    (READ, "one"),
    (READ, "u1", "u2"),
    (READ, "u2", "u3"),
    (READ, "u25", "u4"),
)
READABLE = [
    *(("r", ""), ("rr", ""), ("r", "s"), ("r5", "r6"), ("b1", ""), ("one", "")),
    *(("u1", "u4"), ("u15", "u39"), ("r9", "r1"), ("r", "r")),
]
UNREADABLE = [
    *(("s", ""), ("q", "r5"), ("r", "s0"), ("w1", ""), ("one", "onf"), ("one0", "")),
    *(("u1", "u40"), ("z9", "r1"), ("s", "r")),
]
WRITABLE = [("w", ""), ("w", "x"), ("w1", "w2"), ("b", "c")]
UNWRITABLE = [("x", ""), ("w", "x0"), ("r1", ""), ("v", "x"), ("b", "x")]


async def test_a_range_is_read_if_all_of_it_is_covered(login: Login) -> None:
    user = await login(*GRANTS)

    for key, end in READABLE:
        assert (await user.range(key, end)).count == 0
        future = user.range(key, end, revision=1_000_000_000)
        assert await refusal(future) == FUTURE_REVISION
    for key, end in UNREADABLE:
        assert await refusal(user.range(key, end)) == no.DENIED
        future = user.range(key, end, revision=1_000_000_000)
        assert await refusal(future) == no.DENIED
        counted = user.range(key, end, count_only=True, serializable=True)
        assert await refusal(counted) == no.DENIED


async def test_open_ends_are_open(login: Login, root: AuthClient) -> None:
    user = await login((READ, "m"))
    last = await root.new_user((READ, root.key("p"), b"\0"))
    async with root.other(sent(await root.login(last[0], last[0]))) as open_ended:
        await open_ended.range("p", b"\0")
        await open_ended.range("q", b"\0")
        await open_ended.range("q", "z")
        assert await refusal(open_ended.range("o", b"\0")) == no.DENIED
        assert await refusal(open_ended.range(b"\0", b"\0")) == no.DENIED
    assert await refusal(user.range("m", b"\0")) == no.DENIED


async def test_a_range_is_deleted_if_all_of_it_is_covered(login: Login) -> None:
    user = await login(*GRANTS)

    for key, end in WRITABLE:
        assert (await user.delete(key, end)).deleted == 0
    for key, end in UNWRITABLE:
        assert await refusal(user.delete(key, end)) == no.DENIED
        if not end:
            assert await refusal(user.put(key)) == no.DENIED


async def test_the_value_before_is_for_readers(login: Login) -> None:
    user = await login(*GRANTS)

    assert await refusal(user.put("w", b"1", prev_kv=True)) == no.DENIED
    assert await refusal(user.delete("w", prev_kv=True)) == no.DENIED
    await user.put("w", b"1")
    await user.put("w", ignore_value=True)
    await user.put("b", b"1")
    assert (await user.put("b", b"2", prev_kv=True)).prev_kv.value == b"1"
    assert len((await user.delete("b", "c", prev_kv=True)).prev_kvs) == 1


FORBIDDEN_OPS: dict[str, list[Op]] = {
    "range": [Range("s")],
    "put": [Put("x", b"")],
    "put with the value before": [Put("w", b"", prev_kv=True)],
    "delete": [Delete("x")],
    "delete of a range": [Delete("w", "x0")],
    "delete with the values before": [Delete("w", prev_kv=True)],
    "compare of a nested txn": [Txn([If("s", "version", "=", 0)], [], [])],
    "nested success": [Txn([], [Put("x", b"")], [])],
    "nested failure": [Txn([], [], [Txn([], [], [Range("s")])])],
    "after what is allowed": [Put("w1", b""), Range("r"), Range("z")],
}


@pytest.mark.parametrize("branch", ["success", "failure"])
async def test_a_txn_needs_what_either_branch_needs(
    login: Login, root: AuthClient, branch: str
) -> None:
    user = await login(*GRANTS)
    before = await root.revision()

    refused = {
        name: await refusal(user.txn([], *_in(branch, ops))) for name, ops in FORBIDDEN_OPS.items()
    }

    assert refused == dict.fromkeys(FORBIDDEN_OPS, no.DENIED)
    assert await root.revision() == before


def _in(branch: str, ops: list[Op]) -> tuple[list[Op], list[Op]]:
    """The operations of both branches."""
    return (ops, []) if branch == "success" else ([], ops)


async def test_a_txn_needs_to_read_what_it_compares(login: Login) -> None:
    user = await login(*GRANTS)

    assert await refusal(user.txn([If("w", "version", "=", 0)])) == no.DENIED
    assert await refusal(user.txn([If("r", "version", "=", 0, end="s0")])) == no.DENIED
    done = await user.txn([If("r", "version", "=", 0, end="s")], [Put("w", b"1"), Range("r")])
    assert done.succeeded


async def test_an_empty_txn_needs_nobody(anybody: AuthClient) -> None:
    assert (await anybody.txn()).succeeded


async def test_refusals_of_form_come_first_and_of_data_last(
    login: Login, anybody: AuthClient
) -> None:
    user = await login(*GRANTS)
    twice: list[Any] = [Put("x", b""), Put("x", b"")]

    assert await refusal(anybody.range("")) == KEY_NOT_PROVIDED
    assert await refusal(user.txn([], twice)) == DUPLICATE_KEY
    assert await refusal(user.put("x", lease=9_999)) == no.DENIED
    assert await refusal(user.put("w", lease=9_999)) == LEASE_NOT_FOUND
    assert await refusal(user.put("x", ignore_value=True)) == no.DENIED
    assert await refusal(user.put("w9", ignore_value=True)) == KEY_NOT_FOUND
    bad = user.other(sent("bad"))
    assert await refusal(bad.put("", b"")) == KEY_NOT_PROVIDED
    assert await refusal(bad.range("r", revision=1_000_000_000)) == no.BAD_TOKEN


async def test_what_somebody_may_who_may_nothing(login: Login, anybody: AuthClient) -> None:
    user = await login()
    alarms, lease = pb.AlarmRequest(), pb.LeaseTimeToLiveRequest(ID=9_999)

    assert list((await user.maintenance.Alarm(alarms)).alarms) == []
    assert (await user.lease.LeaseTimeToLive(lease)).TTL == -1
    assert await refusal(anybody.maintenance.Alarm(alarms)) == no.NO_USER
    assert await refusal(anybody.lease.LeaseTimeToLive(lease)) == no.NO_USER


async def test_what_nobody_may(anybody: AuthClient) -> None:
    health = await anybody.health.Check(health_pb2.HealthCheckRequest())
    no_urls = anybody.cluster.MemberAdd(pb.MemberAddRequest())

    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert (await refusal(no_urls)).text == "etcdserver: given member URLs are invalid"


async def test_what_is_taken_away_counts_at_once(root: AuthClient) -> None:
    key = root.key("k")
    name, role = await root.new_user((READWRITE, key))
    async with root.other(sent(await root.login(name, name))) as user:
        await user.put("k", b"1")
        await root.allow(role, READ, key)
        assert await refusal(user.put("k", b"2")) == no.DENIED
        assert (await user.range("k")).kvs[0].value == b"1"
        await root.disallow(role, key)
        assert await refusal(user.range("k")) == no.DENIED
        await root.allow(role, READ, key)
        await root.take(name, role)
        assert await refusal(user.range("k")) == no.DENIED
        await root.give(name, role)
        await user.range("k")
        await root.delete_role(role)
        assert await refusal(user.range("k")) == no.DENIED
        await root.give(name, "root")
        await user.put("anything", b"")
        await user.status_of_auth()


async def test_users_know_themselves_and_their_roles(root: AuthClient) -> None:
    name, role = await root.new_user((READ, b"k"))
    async with root.other(sent(await root.login(name, name))) as user:
        assert await user.roles_of(name) == [role]
        assert await user.permissions(role) == [(READ, b"k", b"")]
        assert await refusal(user.roles_of("root")) == no.DENIED
        assert await refusal(user.permissions("nothing")) == no.DENIED
        assert await refusal(user.change_password(name, "other")) == no.DENIED


async def test_a_lease_belongs_to_those_who_may_write_its_keys(
    login: Login, root: AuthClient
) -> None:
    user = await login(*GRANTS, (READ, "x"))
    lease = await user.grant()
    await user.put("w", lease=lease)
    await user.put("b", lease=lease)
    await root.put("x", lease=lease)

    assert await refusal(user.put("w2", lease=lease)) == no.DENIED
    assert await refusal(user.txn([], [Put("w2", b"", lease=lease)])) == no.DENIED
    assert await refusal(user.revoke(lease)) == no.DENIED
    assert await refusal(user.time_to_live(lease, keys=True)) == no.DENIED
    assert (await user.time_to_live(lease)).grantedTTL == 600
    async with user.keep_alive() as stream:
        assert await stream_refusal(stream, lease) == no.DENIED
    await root.delete("x")
    await user.put("w2", lease=lease)
    async with user.keep_alive() as stream:
        assert (await stream.renew(lease)).TTL == 600
    await user.delete("w", "x")
    assert await user.lease_keys(lease) == ["b"]
    await user.revoke(lease)


async def stream_refusal(stream: Any, lease: int) -> Any:
    async def first() -> Any:
        await stream.send(lease)
        answer = await stream.call.read()
        return answer if isinstance(answer, pb.LeaseKeepAliveResponse) else await _ended()

    async def _ended() -> Any:
        await stream.call  # raises what the stream ended with

    return await refusal(first())


async def test_all_leases_are_for_those_who_may_read_all_their_keys(
    login: Login, root: AuthClient, anybody: AuthClient
) -> None:
    user = await login(*GRANTS)
    lease = await root.grant()
    await root.put("hidden", lease=lease)

    assert await refusal(user.lease.LeaseLeases(pb.LeaseLeasesRequest())) == no.DENIED
    assert await refusal(anybody.lease.LeaseLeases(pb.LeaseLeasesRequest())) == no.NO_USER
    assert await refusal(anybody.revoke(9_999)) == no.NO_USER
    assert await refusal(user.revoke(9_999)) == LEASE_NOT_FOUND
    await root.revoke(lease)


async def test_a_watch_is_judged_when_it_begins(login: Login, root: AuthClient) -> None:
    user = await login(*GRANTS)
    async with user.watch() as stream:
        denied = await stream.create("s")
        assert (denied.canceled, denied.watch_id) == (True, -1)
        assert denied.cancel_reason == f"rpc error: code = PermissionDenied desc = {no.DENIED.text}"
        assert denied.header.revision == await root.revision()
        allowed = await stream.create("r", "s")
        assert not allowed.canceled
        await root.delete_user(await _name_of(root, user))
        await root.put("r1", b"1")
        assert (await stream.next()).events[0].kv.value == b"1"
        assert (await stream.create("r", "s")).cancel_reason.endswith(no.BAD_TOKEN.text)


async def _name_of(root: AuthClient, user: AuthClient) -> str:
    """The name of the newest user."""
    del user
    return max(await root.users(), key=lambda name: int(name.partition("-")[2] or 0))


async def test_why_a_watch_is_refused(anybody: AuthClient, login: Login) -> None:
    user = await login(*GRANTS)
    async with anybody.watch() as stream:
        nobody = await stream.create("r")
        negative = await stream.create("r", start_revision=-1)
    async with user.watch() as stream:
        backwards = await stream.create("r2", "r1")
        denied = await stream.create("z2", "z1")
        everything = await stream.create(b"", b"\0")

    assert nobody.cancel_reason == f"rpc error: code = InvalidArgument desc = {no.NO_USER.text}"
    assert negative.cancel_reason == "etcdserver: mvcc: required revision has been compacted"
    assert backwards.cancel_reason == "mvcc: watcher range is empty"
    assert denied.cancel_reason.endswith(no.DENIED.text)
    assert everything.cancel_reason.endswith(no.DENIED.text)


async def test_the_user_counts_against_the_size_of_a_request(root: AuthClient) -> None:
    """His name and the auth revision travel in etcd's log beside the request."""
    name, _ = await root.new_user((WRITE, b"big"))
    async with root.other(sent(await root.login(name, name))) as user:
        revision = (await root.status_of_auth()).authRevision
        assert 128 <= revision < 16_384 or revision < 128
        counted = 2 + len(name) + 1 + (1 if revision < 128 else 2)
        largest = LARGEST_PUT - len(b"big") - counted - PUT_FIELDS
        await user.put(b"big", b"x" * largest)
        # An etcd whose member id begins with a zero bit has one byte more to give.
        assert await refusal(user.put(b"big", b"x" * (largest + 2))) == REQUEST_TOO_LARGE
        await user.delete(b"big")
