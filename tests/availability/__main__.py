"""`make availability`: twenty rounds for each store and number of servers, and a table."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.availability.rounds import Run, Tally
from tests.support.running_stores import STORES

HEAD = (
    "| store | servers | rounds | writes acknowledged | refused | unknown | events seen | lists "
    "| watches resumed | p50, p99 ms | nobody answered, s | violations |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)
CASES = (
    ("sqlite", 2),
    ("sqlite", 3),
    ("postgresql", 2),
    ("postgresql", 3),
    ("etcd", 2),
    ("etcd", 3),
)


def main() -> int:
    """Run the rounds; 1 when anything was violated."""
    parser = argparse.ArgumentParser(prog="availability")
    parser.add_argument("--rounds", type=int, default=20, help="for each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=STORES, action="append", help="only this one")
    parser.add_argument("--servers", type=int, choices=(2, 3), help="only so many")
    flags = parser.parse_args()
    rows, violated = [], False
    for store, servers in CASES:
        if store not in (flags.store or STORES) or servers != (flags.servers or servers):
            continue
        tallies = asyncio.run(_run(store, servers, flags.rounds, flags.seed))
        rows.append(_row(store, servers, tallies))
        violated = violated or any(tally.violations for tally in tallies)
    _print("\n".join(("", HEAD, *rows)))
    return int(violated)


async def _run(store: str, servers: int, rounds: int, seed: int) -> list[Tally]:
    tallies = []
    with tempfile.TemporaryDirectory() as directory, STORES[store]() as running:
        async with Run(running.endpoint, Path(directory), servers, seed) as run:
            for number in range(1, rounds + 1):
                tally = await run.round()
                tallies.append(tally)
                found = "\n  ".join((f"{len(tally.violations)} violations", *tally.violations[:20]))
                _print(
                    f"{servers} on {store}, round {number}: {tally.acknowledged} acknowledged, "
                    f"{tally.unknown} unknown, {tally.resumed} resumed, {found}"
                )
    return tallies


def _row(store: str, servers: int, tallies: list[Tally]) -> str:
    latencies = sorted(each for tally in tallies for each in tally.latencies)
    cells = (
        store,
        servers,
        len(tallies),
        sum(tally.acknowledged for tally in tallies),
        sum(tally.refused for tally in tallies),
        sum(tally.unknown for tally in tallies),
        sum(tally.events for tally in tallies),
        sum(tally.lists for tally in tallies),
        sum(tally.resumed for tally in tallies),
        f"{_ms(latencies, 0.5)}, {_ms(latencies, 0.99)}",
        f"{max((tally.silence for tally in tallies), default=0.0):.1f}",
        sum(len(tally.violations) for tally in tallies),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _ms(ascending: list[float], share: float) -> int:
    return round(ascending[int((len(ascending) - 1) * share)] * 1000) if ascending else 0


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
