"""The tables of the API server: figures into text. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.bench.api.definitions import COUNT
from tests.bench.api.measure import FEW, IN_FLIGHT, LISTED, MANY, WATCHERS
from tests.bench.markdown import table
from tests.bench.results import Result
from tests.bench.speed import made_by, mark

GET, LIST = 0.5, 0.4  # of the constant server's rate
CREATES = 700  # a second
FAN_OUT = 100  # ms, p99
TIMES_ENCODED, BESIDE_OBJECTS = 3, 120  # memory: times the objects' bytes, and MiB more
SLOWER, START = 1.3, 15.0
ADMISSION = 1.3  # times what a create takes without
DEFINITIONS_MIB, START_WITH = 95, 10.0  # 100 MB
PUBLISHED = {"discovery": "discovery", "v3": "OpenAPI v3, too", "v2": "OpenAPI v2, too"}
PLACES = {"plain": "empty namespace", "limited": "namespace with a quota and limits"}
MADE = {
    "p50_ms": "one pod, ms",
    "cpu_us": "one pod, µs of CPU",
    "per_second": "many pods, a second",
    "cpu_us_together": "many pods, µs of CPU",
}
ALONE = {
    "decision_us": ("a decision of RBAC with 1,000 bindings, µs", 20),
    "rule_us": ("a rule of a policy, µs", 100),
}
HEAD = ["work", "measured", "beside it", "must", "", "p50 / p99 ms", "server µs per op"]


def rates(result: Result) -> str:
    """Render the figures of measure.measure."""
    figures = result.figures
    return f"""## The API server

Over TLS with a client's certificate, {IN_FLIGHT} requests in flight on as many connections (lists:
2), on a SQLite store with synchronous=FULL. The constant server is a bare ASGI application under
the same uvicorn, event loop and TLS that answers with the same bytes from memory. Pods are as a
deployment's; {LISTED:,} of 4 KB each are listed, at resourceVersion=0. One pod that is changed goes
to {WATCHERS:,} watchers, each on a connection of its own; times count from before the change was
sent.

{table(HEAD, [*_beside(figures), _creates(figures), _fan_out(figures), _memory(figures)])}
{made_by([result])}"""


def _beside(figures: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for name, what, must in (("get", "GET of a pod", GET), ("list", "list of all pods", LIST)):
        ours, constant = figures[name]["ours"], figures[name]["constant"]
        ratio = ours["per_second"] / constant["per_second"]
        measured = f"{ours['per_second']:,.0f}/s"
        beside = f"{constant['per_second']:,.0f}/s: {ratio:.2f}"
        row = [what, measured, beside, f"{must:g}", mark(ratio >= must)]
        rows.append([*row, _latencies(ours), _cost(ours)])
    return rows


def _creates(figures: Mapping[str, Any]) -> list[str]:
    made = figures["create"]
    rate = made["per_second"]
    row = ["create of a pod", f"{rate:,.0f}/s", "", f"{CREATES}/s", mark(rate >= CREATES)]
    return [*row, _latencies(made), _cost(made)]


def _fan_out(figures: Mapping[str, Any]) -> list[str]:
    seen = figures["watch"]
    row = ["one change to all watchers", f"{seen['p99_ms']:.0f} ms (p99)"]
    row += [f"{seen['kib_each']:.0f} KiB a watcher", f"{FAN_OUT} ms"]
    return [*row, mark(seen["p99_ms"] <= FAN_OUT), _latencies(seen), _cost(seen)]


def _memory(figures: Mapping[str, Any]) -> list[str]:
    held = figures["memory"]
    limit = held["encoded_mib"] * TIMES_ENCODED + BESIDE_OBJECTS
    row = [f"RSS with {LISTED:,} pods", f"{held['rss_mib']:.0f} MiB"]
    row += [f"{held['encoded_mib']:.0f} MiB of objects", f"{limit:.0f} MiB"]
    return [*row, mark(held["rss_mib"] <= limit), "", ""]


def _latencies(figures: Mapping[str, float]) -> str:
    return f"{figures['p50_ms']:.3g} / {figures['p99_ms']:.3g}"


def _cost(figures: Mapping[str, float]) -> str:
    return f"{figures['server_cpu_seconds'] / figures['ops'] * 1e6:,.0f}"


def growth(result: Result) -> str:
    """Render the figures of measure.growth."""
    figures = result.figures
    body = []
    for work, rate in figures["rates"].items():
        slower = rate["few"] / rate["many"]
        row = [work, f"{rate['few']:,.0f}/s", f"{rate['many']:,.0f}/s", f"{slower:.2f} times"]
        body.append([*row, f"{SLOWER:g}", mark(slower <= SLOWER)])
    few, many = figures["start_few_s"], figures["start_many_s"]
    start = ["start to ready", f"{few:.1f} s", f"{many:.1f} s", "", f"{START:g} s"]
    body.append([*start, mark(many <= START)])
    rss = ["RSS after the start", *(f"{figures[f'rss_{n}_mib']:.0f} MiB" for n in ("few", "many"))]
    body.append([*rss, "", "", ""])
    return f"""## The API server as pods grow in number

{table(["work", f"{FEW:,} pods", f"{MANY:,} pods", "slower", "must", ""], body)}
{made_by([result])}"""


def admission(result: Result) -> str:
    """Render the figures of admission.measure."""
    figures = result.figures
    body = []
    for place, of in figures["made"].items():
        for key, what in MADE.items():
            ours, bare = of["with"][key], of["without"][key]
            times = bare / ours if key == "per_second" else ours / bare
            row = [f"{what}, {PLACES[place]}", f"{ours:,.2f}", f"{bare:,.2f}", f"{times:.2f} times"]
            body.append([*row, f"{ADMISSION:g}", mark(times <= ADMISSION)])
    for key, (what, limit) in ALONE.items():
        took = figures[key]
        body.append([what, f"{took:.1f}", "", "", f"{limit:g}", mark(took <= limit)])
    return f"""## What admission costs

Pods made with all built-in plugins, and at a server on the same store that has none, in turn: one
at a time (ms, median; µs of the server's CPU for each), and {IN_FLIGHT} at once (a second; µs).

{table(["", "with", "without", "costs", "must", ""], body)}
{made_by([result])}"""


def definitions(result: Result) -> str:
    """Render the figures of definitions.measure."""
    figures = result.figures
    grown = {
        what: figures[f"rss_{name}_mib"] - figures[f"rss_{before}_mib"]
        for name, before, what in (
            ("made", "empty_read", "RSS, when they are made"),
            ("read", "empty_read", "RSS, when documents have been read"),
            ("restarted", "empty", "RSS, after a start"),
        )
    }
    body = [
        [f"{what}, more than without", f"{more:.0f} MiB", f"{DEFINITIONS_MIB} MiB",
         mark(more <= DEFINITIONS_MIB)]
        for what, more in grown.items()
    ]  # fmt: skip
    start, before = figures["start_s"], figures["start_empty_s"]
    row = [f"start to ready ({before:.1f} s without)", f"{start:.1f} s", f"{START_WITH:g} s"]
    body.append([*row, mark(start <= START_WITH)])
    for name, what in PUBLISHED.items():
        took = figures["published_s"][name]
        row = [f"one more is in {what}", f"{took * 1000:.0f} ms", "1 s", mark(took <= 1)]
        body.append(row)
    return f"""## {COUNT} custom resource definitions

Of {figures["kib_each"]:.0f} KiB each, in as many groups. Memory is compared with that of a server
without them whose documents have been read, too. Publishing counts from the answer to a creation,
one document after the other, each read over a connection of its own; medians.

{table(["what", "measured", "must", ""], body)}
{made_by([result])}"""


SECTIONS: Mapping[str, Callable[[Result], str]] = {
    "api": rates,
    "admission": admission,
    "definitions": definitions,
    "api-growth": growth,
}
