"""Sub-commands that wait: watch, lock, elect, keep-alive, make-mirror."""

import asyncio
import signal

import pytest

from tests.contract.client import Client
from tests.contract.etcdctl.program import SECONDS, Etcdctl, read_lines
from tests.contract.targets import Launcher
from tests.contract.waiting import waiters

pytestmark = [pytest.mark.every_front, pytest.mark.any_backend]


async def test_watch_runs_a_command_for_each_event(
    etcdctl: Etcdctl, etcd: Client, prefix: str
) -> None:
    start = f"--rev={(await etcd.put('a', b'1')).header.revision}"
    command = ["sh", "-c", "echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_VALUE"]
    async with etcdctl.following("watch", f"{prefix}a", start, "--", *command) as output:
        first = await read_lines(output, 4)
        await etcd.delete("a")
        second = await read_lines(output, 4)

    assert first == ["PUT", f"{prefix}a", "1", '"PUT" "1"']
    assert second == ["DELETE", f"{prefix}a", "", '"DELETE" ""']


async def test_watch_interactively(etcdctl: Etcdctl, etcd: Client, prefix: str) -> None:
    start = (await etcd.put("a", b"1")).header.revision
    async with etcdctl.started("watch", "-i") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"watch {prefix}a --rev={start}\nwatch {prefix}b\n".encode())
        await process.stdin.drain()
        assert await read_lines(process.stdout, 3) == ["PUT", f"{prefix}a", "1"]
        process.stdin.write(b"progress\n")
        await process.stdin.drain()
        (progress,) = await read_lines(process.stdout, 1)

    assert progress.startswith("progress notify: ")


async def test_a_lock_is_held_until_its_holder_is_interrupted(
    etcdctl: Etcdctl, etcd: Client, prefix: str
) -> None:
    async with etcdctl.started("lock", f"{prefix}l") as first:
        assert first.stdout is not None
        (held,) = await read_lines(first.stdout, 1)
        async with etcdctl.started("lock", f"{prefix}l", "echo", "inside") as second:
            assert second.stdout is not None
            await waiters(etcd, "l/", 2)
            first.send_signal(signal.SIGINT)
            assert await read_lines(second.stdout, 1) == ["inside"]
            async with asyncio.timeout(SECONDS):
                assert await second.wait() == 0

    assert held.startswith(f"{prefix}l/")
    await waiters(etcd, "l/", 0)


async def test_elect_and_listen(etcdctl: Etcdctl, etcd: Client, prefix: str) -> None:
    name = f"{prefix}e"
    async with (
        etcdctl.started("elect", name, "one") as first,
        etcdctl.following("elect", "-l", name) as observed,
    ):
        assert first.stdout is not None
        elected = await read_lines(first.stdout, 2)
        assert (await read_lines(observed, 2))[1] == "one"
        async with etcdctl.started("elect", name, "two") as second:
            assert second.stdout is not None
            await waiters(etcd, "e/", 2)
            first.send_signal(signal.SIGINT)
            assert (await read_lines(second.stdout, 2))[1] == "two"
            assert (await read_lines(observed, 2))[1] == "two"

    assert elected[0].startswith(f"{name}/")
    assert elected[1] == "one"


async def test_keep_alive_goes_on(etcdctl: Etcdctl, etcd: Client) -> None:
    lease = await etcd.grant(9)
    async with etcdctl.following("lease", "keep-alive", f"{lease:x}") as output:
        lines = await read_lines(output, 2)

    assert lines == [f"lease {lease:016x} keepalived with TTL(9)"] * 2


async def test_a_mirror_follows(
    etcdctl: Etcdctl, etcd: Client, prefix: str, target: str, launcher: Launcher
) -> None:
    await etcd.put("a", b"before")
    other = launcher.start(target)
    try:
        mirror = [f"--prefix={prefix}", "--dest-prefix=m/", other.endpoint]
        async with Client(other.address) as there, there.watch() as stream:
            await stream.create(b"m/", b"m0")
            async with etcdctl.following("make-mirror", *mirror):
                (first,) = await stream.events(1)
                await etcd.put("b", b"after")
                (second,) = await stream.events(1)
    finally:
        other.stop()

    assert (first.kv.key, first.kv.value) == (b"m/a", b"before")
    assert (second.kv.key, second.kv.value) == (b"m/b", b"after")
