"""etcdctl beside other clients of the same store."""

import pytest

from tests.contract.client import Client
from tests.contract.etcdctl.program import Etcdctl, read_lines
from tests.contract.targets import Server

pytestmark = pytest.mark.every_front


async def test_put_get_del(etcdctl: Etcdctl, prefix: str) -> None:
    a, b = f"{prefix}a", f"{prefix}b"

    assert await etcdctl.lines("put", a, "one") == ["OK"]
    assert await etcdctl.lines("put", b, stdin="two") == ["OK"]
    assert await etcdctl.lines("put", a, "three", "--prev-kv") == ["OK", a, "one"]
    assert await etcdctl.lines("get", a) == [a, "three"]
    assert await etcdctl.lines("get", a, "--print-value-only") == ["three"]
    assert await etcdctl.lines("get", "--prefix", prefix) == [a, "three", b, "two"]
    assert await etcdctl.lines("get", "--prefix", prefix, "--keys-only") == [a, "", b, ""]
    assert await etcdctl.lines("del", "--prefix", prefix, "--prev-kv") == [
        *("2", a, "three", b, "two")
    ]
    assert await etcdctl.lines("get", a) == []


async def test_get_in_order_limited_and_from_the_past(etcdctl: Etcdctl, prefix: str) -> None:
    keys = [f"{prefix}{name}" for name in "abc"]
    revisions = [
        (await etcdctl.json("put", key, value))["header"]["revision"]
        for key, value in zip([*keys, keys[0]], "3214", strict=True)
    ]

    by_value = ["get", "--prefix", prefix, "--sort-by=VALUE", "--order=DESCEND", "--limit=2"]
    assert await etcdctl.lines(*by_value, "--print-value-only") == ["4", "2"]
    assert await etcdctl.lines("get", keys[0], f"--rev={revisions[0]}") == [keys[0], "3"]
    assert await etcdctl.lines("get", "--from-key", keys[1], "--print-value-only") == ["2", "1"]
    count = await etcdctl.run("get", "--prefix", prefix, "--count-only", "--write-out=fields")
    assert '"Count" : 3' in count


async def test_txn(etcdctl: Etcdctl, prefix: str) -> None:
    key = f"{prefix}a"
    script = f'value("{key}") = "1"\n\nput {key} 2\nget {key}\n\ndel {key}\n\n'

    first = await etcdctl.lines("txn", stdin=script)
    await etcdctl.run("put", key, "1")
    second = await etcdctl.lines("txn", stdin=script)

    assert [line for line in first if line] == ["FAILURE", "0"]
    assert [line for line in second if line] == ["SUCCESS", "OK", key, "2"]


async def test_watch(etcdctl: Etcdctl, etcd: Client, prefix: str) -> None:
    first = await etcd.put("a", b"1")
    await etcd.put("a", b"2")
    start = f"--rev={first.header.revision}"
    async with etcdctl.following("watch", "--prefix", prefix, start, "--prev-kv") as output:
        history = await read_lines(output, 8)
        await etcd.delete("a")
        live = await read_lines(output, 5)

    key = f"{prefix}a"
    assert history == [*("PUT", key, "1"), *("PUT", key, "1", key, "2")]
    assert live == ["DELETE", key, "2", key, ""]


async def test_lease(etcdctl: Etcdctl, prefix: str) -> None:
    granted = await etcdctl.json("lease", "grant", "500")
    lease = f"{granted['ID']:016x}"

    assert granted["TTL"] == 500
    assert await etcdctl.lines("put", f"{prefix}a", "1", f"--lease={lease}") == ["OK"]
    kept = await etcdctl.run("lease", "keep-alive", lease, "--once")
    assert kept == f"lease {lease} keepalived with TTL(500)\n"
    shown = await etcdctl.run("lease", "timetolive", lease, "--keys")
    assert f"lease {lease} granted with TTL(500s), remaining(49" in shown
    assert f"attached keys([{prefix}a])" in shown
    assert lease in await etcdctl.lines("lease", "list")
    assert await etcdctl.lines("lease", "revoke", lease) == [f"lease {lease} revoked"]
    assert await etcdctl.lines("get", f"{prefix}a") == []
    gone = await etcdctl.run("lease", "timetolive", lease)
    assert gone == f"lease {lease} already expired\n"
    assert "requested lease not found" in await etcdctl.run("lease", "revoke", lease, code=1)


async def test_compaction(etcdctl: Etcdctl, etcd: Client, prefix: str) -> None:
    old = (await etcd.put("a", b"1")).header.revision
    now = (await etcd.put("a", b"2")).header.revision

    assert await etcdctl.lines("compaction", str(now), "--physical") == [
        f"compacted revision {now}"
    ]
    refused = await etcdctl.run("get", f"{prefix}a", f"--rev={old}", code=1)
    assert "etcdserver: mvcc: required revision has been compacted" in refused
    again = await etcdctl.run("compaction", str(now), code=1)
    assert "etcdserver: mvcc: required revision has been compacted" in again


async def test_endpoint_health(etcdctl: Etcdctl, server: Server) -> None:
    said = await etcdctl.run("endpoint", "health")

    assert f"{server.endpoint} is healthy: successfully committed proposal" in said


async def test_endpoint_status(etcdctl: Etcdctl, etcd: Client, server: Server) -> None:
    revision = await etcd.revision()
    (shown,) = await etcdctl.json("endpoint", "status")

    status = shown["Status"]
    assert shown["Endpoint"] == server.endpoint
    assert status["header"]["revision"] == revision
    assert status["leader"] == status["header"]["member_id"]
    assert status["dbSize"] > 0


async def test_member_list(etcdctl: Etcdctl, server: Server) -> None:
    (member,) = await etcdctl.lines("member", "list")

    _, state, name, _, client_urls, learner = member.split(", ")
    assert (state, client_urls, learner) == ("started", server.endpoint, "false")
    assert name
