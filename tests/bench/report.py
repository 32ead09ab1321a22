"""Turns what is known into the text of docs/benchmarks.md. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench import alone, on_databases, speed
from tests.bench.api import tables
from tests.bench.markdown import table
from tests.bench.results import Result
from tests.bench.rows import ROWS

INTRODUCTION = """# Benchmarks

Written by `make bench`; run it to get the figures of your machine. They compare things measured
side by side in one run. They say little about other machines, and a busy machine changes them:
below each table stands what made it, and the load average of the machine when it began.
"""
BESIDE_ETCD = tuple(dict.fromkeys(row.part for row in ROWS))


def render(results: Mapping[str, Result]) -> str:
    """Return the whole document. A part that was not measured is left out."""
    sections = [INTRODUCTION]
    beside = [r for part in BESIDE_ETCD for r in results.values() if r.part == part]
    for variant in dict.fromkeys(result.variant for result in beside):
        chosen = [result for result in beside if result.variant == variant]
        sections.append(speed.render(chosen, variant.removeprefix("sync-")))
    if "databases" in results:
        sections.append(on_databases.databases(results["databases"]))
    alone_and_api = {**alone.SECTIONS, **tables.SECTIONS}
    sections += [alone_and_api[part](results[part]) for part in alone_and_api if part in results]
    clusters = [result for name, result in results.items() if name.startswith("cluster-")]
    if clusters:
        sections += [_waiting(clusters), *(_idle(result) for result in clusters)]
    return "\n".join(sections)


def _waiting(clusters: Sequence[Result]) -> str:
    head = ["store", "first start to Ready", "restart to Ready", "to container", "to Ready pod"]
    figures = ("first_ready", "again_ready", "container_started", "running_seen")
    body = [
        [c.figures["store"], *(f"{c.figures[figure]:.2f} s" for figure in figures)]
        for c in clusters
    ]
    return f"""## Waiting

Medians. A start counts from the start of the process `tapir up` until it says that the node is
Ready. The last two columns count from the start of `kubectl create` of a pod whose image is there:
until the engine has started its container, and until `kubectl wait` returns.

{table(head, body)}
{"".join(speed.made_by(clusters))}"""


def _idle(result: Result) -> str:
    usages: list[dict[str, Any]] = result.figures["idle"]
    body = [
        [u["name"], f"{u['rss_mib']:.0f}", f"{u['pss_mib']:.0f}", f"{u['cpu_percent']:.1f}"]
        for u in usages
    ]
    rss, pss, cpu = (
        sum(u[column] for u in usages) for column in ("rss_mib", "pss_mib", "cpu_percent")
    )
    body.append(["together", f"{rss:.0f}", f"{pss:.0f}", f"{cpu:.1f}"])
    head = ["process", "RSS, MiB", "PSS, MiB", "CPU, % of a core"]
    return f"""## At rest, on {result.figures["store"]}

The processes of `tapir up` with nothing to do (the store's own server, if there is one, not
counted). PSS shares out the pages that processes have in common.

{table(head, body)}"""
