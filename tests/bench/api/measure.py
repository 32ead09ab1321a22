"""The API server's figures: rates beside the constant server, fan-out, memory, growth.

The store is our datastore on a SQLite file with synchronous=FULL, a process of its own, as is each
server. What is compared is measured in turn.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.api.client import run
from tests.bench.api.servers import HttpsServer, api_server, constant_server, running
from tests.bench.contenders import FRONTS, Contender, data_directory, start
from tests.bench.processes import peak_rss_mib, rss_mib

NAMESPACES = "/api/v1/namespaces"
IN_FLIGHT = 64
LISTED, LISTED_BYTES = 5_000, 1_250  # the bytes are annotations: pods come to 4 KB
FEW, MANY = 1_000, 50_000
WATCHERS = 1_000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A store, and the directory of what runs on it."""

    store: Contender
    directory: Path

    def api_server(self) -> HttpsServer:
        """An API server on the store."""
        return api_server(self.store.process.endpoint, self.directory)


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    """Start an empty store."""
    with data_directory() as directory, ExitStack() as stack:
        store = start(FRONTS[0], Path(directory) / name)
        stack.callback(store.process.kill)
        yield Stage(store, Path(directory))


def measure(runs: int, seconds: float, say: Say) -> dict[str, Any]:
    """Return all figures by name."""
    with staged("pods") as stage, running(stage.api_server()) as server:
        empty = rss_mib(server.pid)
        figures: dict[str, Any] = {"create": _creates(server, runs, seconds, say)}
        figures["get"] = _gets(stage, server, runs, seconds, say)
        figures["watch"] = _watched(server, say)
    with staged("listed") as stage, running(stage.api_server()) as server:
        figures["list"] = _lists(stage, server, runs, seconds, say)
        figures["memory"] = {"empty_mib": empty, **_memory(server)}
    return figures


def namespace(server: HttpsServer, name: str) -> str:
    """Make a namespace; return the path of its pods."""
    server.post(NAMESPACES, b'{"metadata":{"name":"%s"}}' % name.encode())
    account = b'{"metadata":{"name":"default"}}'
    server.post(f"{NAMESPACES}/{name}/serviceaccounts", account)
    return f"{NAMESPACES}/{name}/pods"


def _creates(server: HttpsServer, runs: int, seconds: float, say: Say) -> dict[str, float]:
    pods = namespace(server, "created")
    reports = [
        run(server, "create", pods, name_prefix=f"run-{n}", in_flight=IN_FLIGHT, seconds=seconds)
        for n in range(runs)
    ]
    return _said("create", _median(reports), say)


def _gets(
    stage: Stage, server: HttpsServer, runs: int, seconds: float, say: Say
) -> dict[str, dict[str, float]]:
    pods = namespace(server, "read")
    run(server, "fill", pods, count=1, name_prefix="pod")
    path = f"{pods}/pod-0000001"
    flags = {"in_flight": IN_FLIGHT, "seconds": seconds}
    return _beside(stage, server, path, runs, flags, say)


def _lists(
    stage: Stage, server: HttpsServer, runs: int, seconds: float, say: Say
) -> dict[str, dict[str, float]]:
    pods = namespace(server, "listed")
    run(server, "fill", pods, count=LISTED, pod_bytes=LISTED_BYTES)
    path = f"{pods}?resourceVersion=0"
    flags = {"in_flight": 2, "seconds": max(seconds, 5.0)}
    return _beside(stage, server, path, runs, flags, say)


def _beside(
    stage: Stage, server: HttpsServer, path: str, runs: int, flags: dict[str, Any], say: Say
) -> dict[str, dict[str, float]]:
    """Read a path from the API server, and the same bytes from the constant server, in turn."""
    body = server.read(path)
    with running(constant_server(stage.directory, server.pki, body=body)) as constant:
        seen: dict[str, list[dict[str, Any]]] = {"ours": [], "constant": []}
        for _ in range(runs):
            seen["ours"].append(run(server, "get", path, **flags))
            seen["constant"].append(run(constant, "get", "/body", **flags))
    return {name: _said(f"{name} {path}", _median(r), say) for name, r in seen.items()}


def _watched(server: HttpsServer, say: Say) -> dict[str, float]:
    pods = namespace(server, "watched")
    before = rss_mib(server.pid)
    run(server, "fill", pods, count=1, name_prefix="watched")
    report = run(server, "watch", pods, name="watched-0000001", count=WATCHERS, rounds=20)
    report["kib_each"] = (peak_rss_mib(server.pid) - before) * 1024 / WATCHERS
    return _said("watch", report, say)


def _memory(server: HttpsServer) -> dict[str, float]:
    """What the server holds now that LISTED pods are in its store."""
    encoded = len(server.read("/api/v1/pods?resourceVersion=0"))
    return {"rss_mib": rss_mib(server.pid), "encoded_mib": encoded / (1 << 20)}


def growth(runs: int, seconds: float, say: Say) -> dict[str, Any]:
    """Compare a store of FEW pods with one of MANY: rates of GET and create, and the start."""
    with ExitStack() as stack:
        servers, figures = {}, {}
        for name, count in (("few", FEW), ("many", MANY)):
            stage = stack.enter_context(staged(name))
            server = stage.api_server()
            server.start()
            stack.callback(server.end)
            pods = namespace(server, "grown")
            run(server, "fill", pods, count=count, in_flight=IN_FLIGHT)
            say(f"{name}: {count:,} pods")
            server.end()
            figures[f"start_{name}_s"] = server.start()
            figures[f"rss_{name}_mib"] = rss_mib(server.pid)
            servers[name] = server
        return {**figures, "rates": _grown(servers, runs, seconds, say)}


def _grown(
    servers: dict[str, HttpsServer], runs: int, seconds: float, say: Say
) -> dict[str, dict[str, float]]:
    pods = f"{NAMESPACES}/grown/pods"
    flags = {"in_flight": IN_FLIGHT, "seconds": seconds}
    rates: dict[str, dict[str, float]] = {}
    for work in ("get", "create"):
        seen: dict[str, list[dict[str, Any]]] = {name: [] for name in servers}
        for number in range(runs):
            for name, server in servers.items():
                path = f"{pods}/pod-0000001" if work == "get" else pods
                prefix = {"name_prefix": f"run-{number}"}
                seen[name].append(run(server, work, path, **flags, **prefix))
        rates[work] = {name: _median(reports)["per_second"] for name, reports in seen.items()}
        say(f"{work}: " + "  ".join(f"{n} {r:,.0f}/s" for n, r in rates[work].items()))
    return rates


def _median(reports: list[dict[str, Any]]) -> dict[str, float]:
    numbers = [key for key, value in reports[0].items() if isinstance(value, int | float)]
    return {key: median(report[key] for report in reports) for key in numbers}


def _said(what: str, report: dict[str, Any], say: Say) -> dict[str, float]:
    numbers = {key: value for key, value in report.items() if isinstance(value, int | float)}
    cost = numbers["server_cpu_seconds"] / max(1, numbers["ops"]) * 1e6
    say(
        f"{what}: {numbers['per_second']:,.0f}/s p50 {numbers['p50_ms']:.2f} "
        f"p99 {numbers['p99_ms']:.2f} ms, {cost:.0f} us of CPU each"
    )
    return numbers
