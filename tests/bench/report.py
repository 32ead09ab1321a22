"""Turns measurements into the text of docs/benchmarks.md. Pure."""

from collections.abc import Iterable, Sequence

from tests.bench.clusters import ClusterResult
from tests.bench.datastores import ETCD, ROUNDS, SECONDS, Row, Target

INTRODUCTION = """# Benchmarks

Written by `make bench`; run it to get the figures of your machine. They compare things measured
side by side in one run. They say little about other machines, and a busy machine changes them.
"""


def render(
    machine: Sequence[str],
    client: str,
    datastore: tuple[Sequence[Target], Sequence[Row]] | None,
    clusters: Sequence[ClusterResult],
) -> str:
    """Return the whole document. A part that was not measured is left out."""
    parts = [INTRODUCTION, "\n".join(f"* {line}" for line in machine) + "\n"]
    if datastore is not None:
        parts.append(_datastore(client, *datastore))
    if clusters:
        parts += [_waiting(clusters), *(_idle(result) for result in clusters)]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _datastore(client: str, targets: Sequence[Target], rows: Sequence[Row]) -> str:
    names = [target.name for target in targets]
    others = [name for name in names if name != ETCD]
    head = ["operation", "in flight", *(f"{n}, per s (mean ms)" for n in names)]
    head += [f"{name} : etcd" for name in others]
    body = [
        [row.operation, str(row.in_flight)]
        + [f"{row.per_second[n]:,.0f} ({row.mean_ms[n]:.2f})" for n in names]
        + [f"{row.ratio(name):.2f}" for name in others]
        for row in rows
    ]
    described = "\n".join(f"* {target.name}: {target.what}" for target in targets)
    runs = f"{ROUNDS} runs of {SECONDS:g} s"
    return f"""## The datastore beside etcd

{described}

Sent by {client} over one connection. Each figure is the median of {runs}, taken in turn.
Puts overwrite one key; every answered put is durable.

{_table(head, body)}"""


def _waiting(clusters: Sequence[ClusterResult]) -> str:
    head = ["store", "first start to Ready", "restart to Ready", "to container", "to Ready pod"]
    body = [
        [c.store]
        + [
            f"{seconds:.2f} s"
            for seconds in (c.first_ready, c.again_ready, c.container_started, c.running_seen)
        ]
        for c in clusters
    ]
    return f"""## Waiting

Medians. A start counts from the start of the process `tapir up` until it says that the node is
Ready. The last two columns count from the start of `kubectl create` of a pod whose image is there:
until the engine has started its container, and until `kubectl wait` returns.

{_table(head, body)}"""


def _idle(result: ClusterResult) -> str:
    body = [
        [usage.name, f"{usage.rss_mib:.0f}", f"{usage.pss_mib:.0f}", f"{usage.cpu_percent:.1f}"]
        for usage in result.idle
    ]
    columns = list(zip(*((u.rss_mib, u.pss_mib, u.cpu_percent) for u in result.idle), strict=True))
    rss, pss, cpu = (sum(column) for column in columns)
    body.append(["together", f"{rss:.0f}", f"{pss:.0f}", f"{cpu:.1f}"])
    head = ["process", "RSS, MiB", "PSS, MiB", "CPU, % of a core"]
    return f"""## At rest, on {result.store}

The processes of `tapir up` with nothing to do (the store's own server, if there is one, not
counted). PSS shares out the pages that processes have in common.

{_table(head, body)}"""
