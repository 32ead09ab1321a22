"""The runtime contract: what every row of RUNTIMES must do, run over each of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from node.kubelet.config import KubeletConfig
from node.kubelet.runtimes.base import (
    ContainerConfig,
    ContainerRecord,
    ExecRequest,
    LogQuery,
    PodIdentity,
    Runtime,
    RuntimeFailure,
    RuntimeNotFound,
    RuntimeUnavailable,
    SandboxConfig,
)
from node.kubelet.runtimes.choice import RUNTIMES, open_runtime
from tests.node.stage import kubelet_config, remove_containers
from tests.support.images import busybox_image

POD = PodIdentity("default", "web", "uid-of-web")
ROWS = [
    pytest.param(name, marks=[pytest.mark.docker] if name == "docker" else []) for name in RUNTIMES
]
SLEEP = ["sleep", "1000"]


@pytest.fixture
def config(tmp_path: Path, runtime_name: str) -> KubeletConfig:
    return kubelet_config(tmp_path, container_runtime=runtime_name)


@pytest.fixture
async def runtime(config: KubeletConfig, runtime_name: str) -> AsyncIterator[Runtime]:
    if runtime_name == "docker":
        busybox_image()
    opened = await open_runtime(config)
    yield opened
    await remove_containers(opened)
    await opened.close()


def main(sandbox: str, command: list[str] | None = None, **fields: object) -> ContainerConfig:
    return ContainerConfig(
        pod=POD,
        name="main",
        attempt=int(str(fields.pop("attempt", 0))),
        sandbox_id=sandbox,
        image="tapir-test/busybox:1",
        command=command or SLEEP,
        **fields,  # type: ignore[arg-type]
    )


async def started(runtime: Runtime, command: list[str] | None = None) -> tuple[str, str]:
    sandbox = await runtime.create_sandbox(SandboxConfig(POD, 0, "web"))
    container = await runtime.create_container(main(sandbox, command))
    await runtime.start(container)
    return sandbox, container


async def ended(runtime: Runtime) -> ContainerRecord:
    """The main container, once it has ended."""
    async with asyncio.timeout(30):
        while True:
            record = (await runtime.pod_record(POD)).newest("main")
            if record is not None and record.phase == "exited":
                return record
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("runtime_name", ROWS)
class TestEveryRuntime:
    async def test_says_what_it_is(self, runtime: Runtime, runtime_name: str) -> None:
        assert (await runtime.version()).startswith(f"{runtime_name}://")
        assert runtime.name == runtime_name

    async def test_a_pod_nobody_made_is_empty(self, runtime: Runtime) -> None:
        record = await runtime.pod_record(POD)
        assert (list(record.sandboxes), list(record.containers)) == ([], [])
        assert await runtime.list_pods() == {}

    async def test_a_container_is_created_then_runs(self, runtime: Runtime) -> None:
        sandbox = await runtime.create_sandbox(SandboxConfig(POD, 0, "web"))
        container = await runtime.create_container(main(sandbox, annotations={"a": "b"}))
        before = (await runtime.pod_record(POD)).containers[0]
        assert (before.id, before.phase, before.started_at) == (container, "created", "")
        await runtime.start(container)
        record = await runtime.pod_record(POD)
        after = record.containers[0]
        assert (after.name, after.attempt, after.phase) == ("main", 0, "running")
        assert after.annotations["a"] == "b"
        assert after.image == "tapir-test/busybox:1"
        assert after.started_at
        assert record.sandboxes[0].id == sandbox
        assert record.sandboxes[0].running
        assert record.sandboxes[0].ip

    async def test_a_stopped_container_says_when_it_ended(self, runtime: Runtime) -> None:
        _, container = await started(runtime)
        await runtime.stop(container, 0)
        record = await ended(runtime)
        assert record.finished_at >= record.started_at > ""

    async def test_stopping_and_removing_twice_is_fine(self, runtime: Runtime) -> None:
        sandbox, container = await started(runtime)
        for _ in range(2):
            await runtime.stop(container, 0)
            await runtime.remove(container)
            await runtime.stop_sandbox(sandbox)
            await runtime.remove_sandbox(sandbox)
        assert await runtime.list_pods() == {}

    async def test_many_sandboxes_come_and_go_at_once(self, runtime: Runtime) -> None:
        async def come_and_go(number: int) -> str:
            pod = PodIdentity("default", f"web-{number}", f"uid-{number}")
            sandbox = await runtime.create_sandbox(SandboxConfig(pod, 0, pod.name))
            [found] = (await runtime.pod_record(pod)).sandboxes
            await runtime.stop_sandbox(sandbox)
            await runtime.remove_sandbox(sandbox)
            return found.ip

        addresses = await asyncio.gather(*map(come_and_go, range(8)))
        assert all(addresses)
        assert await runtime.list_pods() == {}

    async def test_newest_attempts_come_first(self, runtime: Runtime) -> None:
        sandbox, container = await started(runtime)
        await runtime.stop(container, 0)
        second = await runtime.create_container(main(sandbox, attempt=1))
        record = await runtime.pod_record(POD)
        assert [c.id for c in record.containers] == [second, container]
        newest = record.newest("main")
        assert newest is not None
        assert newest.attempt == 1

    async def test_pods_are_found_again_by_a_new_runtime(
        self, runtime: Runtime, config: KubeletConfig
    ) -> None:
        _, container = await started(runtime)
        again = await open_runtime(config)
        try:
            record = await again.pod_record(POD)
            assert [(c.id, c.phase) for c in record.containers] == [(container, "running")]
            assert list(await again.list_pods()) == [POD.uid]
        finally:
            await again.close()

    async def test_another_kubelets_pods_are_not_seen(
        self, runtime: Runtime, runtime_name: str, tmp_path: Path
    ) -> None:
        await started(runtime)
        elsewhere = kubelet_config(tmp_path / "other", container_runtime=runtime_name)
        other = await open_runtime(elsewhere)
        try:
            assert await other.list_pods() == {}
        finally:
            await other.close()

    async def test_changes_are_reported(self, runtime: Runtime) -> None:
        async with aclosing(runtime.changes()) as changes:
            seen = asyncio.ensure_future(anext(changes))
            attempt = 0
            while not seen.done():  # what happened before the stream was open is not replayed
                await runtime.create_sandbox(SandboxConfig(POD, attempt, "web"))
                attempt += 1
                await asyncio.wait((seen,), timeout=0.2)
            assert seen.result() == POD.uid

    async def test_starting_what_is_not_there_fails(self, runtime: Runtime) -> None:
        with pytest.raises(RuntimeNotFound):
            await runtime.start("0" * 64)

    async def test_a_pod_on_the_hosts_network_has_no_address(self, runtime: Runtime) -> None:
        await runtime.create_sandbox(SandboxConfig(POD, 0, "web", host_network=True))
        sandbox = (await runtime.pod_record(POD)).sandboxes[0]
        assert (sandbox.ip, sandbox.host_network, sandbox.running) == ("", True, True)


@pytest.mark.docker
@pytest.mark.parametrize("runtime_name", ["docker"])
class TestDocker:
    async def test_output_in_order_and_as_bytes(self, runtime: Runtime) -> None:
        _, container = await started(runtime, ["printf", r"one\nzw\303\266lf\nthree"])
        await ended(runtime)
        assert await read_log(runtime, container) == "one\nzwölf\nthree".encode()
        assert await read_log(runtime, container, tail=1) == b"three"
        stamped = await read_log(runtime, container, tail=1, timestamps=True)
        stamp, _, text = stamped.partition(b" ")
        assert text == b"three"
        assert len(stamp) == len("2006-01-02T15:04:05.000000000Z")

    async def test_exit_codes_and_reasons(self, runtime: Runtime) -> None:
        await started(runtime, ["sh", "-c", "exit 3"])
        record = await ended(runtime)
        assert (record.exit_code, record.reason) == (3, "Error")

    async def test_a_command_that_does_not_exist(self, runtime: Runtime) -> None:
        with pytest.raises(RuntimeFailure, match="/nosuch"):
            await started(runtime, ["/nosuch"])
        record = await ended(runtime)
        assert record.reason == "ContainerCannotRun"
        assert "/nosuch" in record.message

    async def test_exec_keeps_streams_apart(self, runtime: Runtime) -> None:
        _, container = await started(runtime)
        script = "cat; echo error >&2; exit 5"
        process = await runtime.exec(container, ExecRequest(["sh", "-c", script], stdin=True))
        await process.write(b"input\n")
        await process.close_stdin()
        output: dict[int, bytes] = {}
        while (message := await process.read()) is not None:
            output[message[0]] = output.get(message[0], b"") + message[1]
        assert (output, await process.exit_code()) == ({1: b"input\n", 2: b"error\n"}, 5)
        await process.close()

    async def test_exec_with_a_terminal_of_a_given_size(self, runtime: Runtime) -> None:
        _, container = await started(runtime)
        script = "read go; stty size; hostname"
        request = ExecRequest(["sh", "-c", script], stdin=True, tty=True)
        process = await runtime.exec(container, request)
        await process.resize(132, 43)
        await process.write(b"go\n")
        output = b""
        while (message := await process.read()) is not None:
            output += message[1]
        assert b"43 132" in output
        assert b"web" in output
        await process.close()

    async def test_an_image_that_cannot_be_had(self, runtime: Runtime) -> None:
        assert await runtime.find_image("tapir-test/none:1") is None
        with pytest.raises(RuntimeFailure, match=r"127\.0\.0\.1:1"):
            await runtime.pull_image("127.0.0.1:1/none:1", None)

    async def test_images_are_listed(self, runtime: Runtime) -> None:
        tags = [tag for image in await runtime.list_images() for tag in image.tags]
        assert "tapir-test/busybox:1" in tags


async def read_log(runtime: Runtime, container: str, **query: object) -> bytes:
    lines = runtime.logs(container, LogQuery(**query))  # type: ignore[arg-type]
    return b"".join([chunk async for chunk in lines])


@pytest.mark.docker
async def test_a_network_of_another_subnet_is_refused(tmp_path: Path) -> None:
    config = kubelet_config(tmp_path, container_runtime="docker", pod_cidr="203.0.113.0/24")
    await (await open_runtime(replace(config, pod_cidr=""))).close()  # makes the network
    with pytest.raises(RuntimeFailure, match=r"not the 203\.0\.113\.0/24 of --pod-cidr"):
        await open_runtime(config)


async def test_no_engine_is_said_so(tmp_path: Path) -> None:
    endpoint = f"unix://{tmp_path}/none.sock"
    config = kubelet_config(tmp_path, container_runtime="docker", docker_endpoint=endpoint)
    with pytest.raises(RuntimeUnavailable, match="Cannot connect"):
        await open_runtime(config)


async def test_auto_simulates_where_no_engine_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = f"unix://{tmp_path}/none.sock"
    runtime = await open_runtime(kubelet_config(tmp_path, docker_endpoint=endpoint))
    assert await runtime.version() == "simulated://1.0"
    assert "runtime_simulated" in caplog.text
    with pytest.raises(RuntimeFailure, match="simulates containers"):
        await runtime.exec("x", ExecRequest(["ls"]))
