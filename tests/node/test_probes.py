"""Probes: counting outcomes, and each type against a real server of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from node.kubelet.probes import PROBES
from node.kubelet.probes.base import Outcome, ProbeTarget, ProbeTrouble
from node.kubelet.probes.state import INITIAL, ProbeState, is_held
from node.kubelet.runtimes.simulated import SimulatedRuntime
from tests.node.builders import container
from tests.support.ports import free_port

SEQUENCES: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("livenessProbe", {}, "FFF", ["success", "success", "failure"]),
    ("livenessProbe", {}, "FFSFF", ["success"] * 5),
    ("livenessProbe", {"failureThreshold": 1}, "F", ["failure"]),
    ("readinessProbe", {}, "S", ["success"]),
    ("readinessProbe", {"successThreshold": 2}, "SFSS", ["failure"] * 3 + ["success"]),
    ("readinessProbe", {}, "SFFFS", ["success"] * 3 + ["failure", "success"]),
    ("startupProbe", {"failureThreshold": 2}, "FS", ["unknown", "success"]),
    ("startupProbe", {"failureThreshold": 2}, "FF", ["unknown", "failure"]),
]


@pytest.mark.parametrize(("kind", "probe", "outcomes", "results"), SEQUENCES)
def test_results_change_after_enough_equal_outcomes(
    kind: str, probe: dict[str, Any], outcomes: str, results: list[str]
) -> None:
    state, seen = ProbeState(INITIAL[kind]), []
    for outcome in outcomes:
        state = state.observe(outcome == "S", probe)
        seen.append(state.result)
    assert seen == results


@pytest.mark.parametrize(
    ("kind", "result", "held"),
    [
        ("livenessProbe", "failure", True),
        ("livenessProbe", "success", False),
        ("readinessProbe", "failure", False),
        ("startupProbe", "success", True),
        ("startupProbe", "failure", True),
        ("startupProbe", "unknown", False),
    ],
)
def test_which_probes_are_over(kind: str, result: Any, held: bool) -> None:
    assert is_held(kind, ProbeState(result)) is held


async def probe(kind: str, tmp_path: Path, seconds: float = 5.0, **action: Any) -> Outcome:
    ports = [{"name": "web", "containerPort": action.pop("named", 1)}]
    target = ProbeTarget(
        SimulatedRuntime(tmp_path), container(ports=ports), "id", "127.0.0.1", action, seconds
    )
    return await PROBES[kind](target)


@contextlib.asynccontextmanager
async def http_server() -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.Response:
        path = request.path
        if path == "/slow":
            await asyncio.sleep(30)
        if path == "/away":
            raise web.HTTPFound("http://elsewhere.invalid/")
        if path == "/here":
            raise web.HTTPFound("/ok")
        if path == "/headers":
            wanted = request.headers.get("X-Probe") == "yes" and request.host == "my.host"
            agent = request.headers["User-Agent"] == "kube-probe/1.35"
            return web.Response(status=200 if wanted and agent else 400)
        return web.Response(status=200 if path == "/ok" else 503)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield port
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "success", "output"),
    [
        ("/ok", True, ""),
        ("ok", True, ""),
        ("/here", True, ""),
        ("/away", True, "Probe terminated redirects"),
        ("/sick", False, "HTTP probe failed with statuscode: 503"),
        ("/slow", False, "context deadline exceeded"),
    ],
)
async def test_http(tmp_path: Path, path: str, success: bool, output: str) -> None:
    async with http_server() as port:
        outcome = await probe("httpGet", tmp_path, 0.5, path=path, port=port)
    assert outcome.success is success
    assert output in outcome.output
    assert outcome.warning is (path == "/away")


async def test_http_headers_and_named_ports(tmp_path: Path) -> None:
    headers = [{"name": "X-Probe", "value": "yes"}, {"name": "Host", "value": "my.host"}]
    async with http_server() as port:
        outcome = await probe(
            "httpGet", tmp_path, path="/headers", port="web", named=port, httpHeaders=headers
        )
    assert outcome.success


async def test_nobody_listens(tmp_path: Path) -> None:
    port = free_port()
    for kind in ("httpGet", "tcpSocket", "grpc"):
        outcome = await probe(kind, tmp_path, port=port)
        assert not outcome.success
        assert outcome.output


async def test_tcp(tmp_path: Path) -> None:
    async with http_server() as port:
        assert (await probe("tcpSocket", tmp_path, port=port)).success


async def test_a_port_name_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(ProbeTrouble, match='couldn\'t find port: "nope" in container main'):
        await probe("tcpSocket", tmp_path, port="nope")


async def test_a_command_that_cannot_be_run_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(ProbeTrouble):
        await probe("exec", tmp_path, command=["true"])


async def test_grpc(tmp_path: Path) -> None:
    servicer = health.aio.HealthServicer()
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await servicer.set("sick", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert (await probe("grpc", tmp_path, port=port)).success
    outcome = await probe("grpc", tmp_path, port=port, service="sick")
    assert outcome == Outcome(False, 'service unhealthy (responded with "NOT_SERVING")')
    assert not (await probe("grpc", tmp_path, port=port, service="unknown")).success
    await server.stop(0)
