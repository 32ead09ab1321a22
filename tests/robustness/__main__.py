"""`make robustness`: twenty rounds for each victim, a line a round, and a table at the end."""

import argparse
import asyncio
import shutil
import sys
import time
from math import inf
from pathlib import Path

from tests.robustness.rounds import Run
from tests.robustness.tally import Tally, percentile
from tests.robustness.victims import VICTIMS

HEAD = (
    "| victim | rounds | revisions | writes acknowledged | reads | unknown (written) "
    "| leases expired | gated | watchers' reconnects | p50, p99 ms | nobody answered, s "
    "| violations |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Run the rounds; 1 when anything was violated."""
    parser = argparse.ArgumentParser(prog="robustness")
    parser.add_argument("--rounds", type=int, default=20, help="for each victim")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--victim", choices=VICTIMS, action="append", help="only this one")
    parser.add_argument("--seconds", type=float, default=inf, help="no further round after these")
    parser.add_argument("--with-auth", action="store_true", help="permissions come and go, too")
    parser.add_argument("--logs", type=Path, help="a directory that gets the servers' logs")
    flags = parser.parse_args()
    rows, violated = [], False
    for name in flags.victim or VICTIMS:
        tallies = asyncio.run(_run(name, flags))
        rows.append(_row(name, tallies))
        violated = violated or any(tally.violations for tally in tallies)
    _print("\n".join(("", HEAD, *rows)))
    return int(violated)


async def _run(name: str, flags: argparse.Namespace) -> list[Tally]:
    until = time.monotonic() + flags.seconds
    victim = await asyncio.to_thread(VICTIMS[name])
    tallies = []
    try:
        async with Run(victim, flags.seed, with_auth=flags.with_auth) as run:
            for number in range(1, flags.rounds + 1):
                tally = await run.round()
                tallies.append(tally)
                _print(_line(name, number, tally))
                if time.monotonic() > until:
                    break
    finally:
        for number, server in enumerate(victim.servers if flags.logs else ()):
            shutil.copy(server.log, flags.logs / f"{name}-s{number}.log")
        await asyncio.to_thread(victim.stop)
    return tallies


def _line(name: str, number: int, tally: Tally) -> str:
    verdict = tally.verdict
    told = (
        f"{name} round {number}: {tally.seconds:.1f} s, {verdict.revisions} revisions, "
        f"{verdict.acknowledged} writes and {verdict.reads} reads acknowledged, "
        f"{verdict.unknown} unknown ({verdict.unknown_done} happened), {verdict.gated} gated, "
        f"compacted to {tally.compacted}, p99 {_ms(tally.latencies, 0.99)} ms, "
        f"silent for {tally.silence:.1f} s, {len(tally.violations)} violations"
    )
    return "\n  ".join((told, *tally.violations[:20]))


def _row(name: str, tallies: list[Tally]) -> str:
    verdicts = [tally.verdict for tally in tallies]
    unknown = sum(v.unknown for v in verdicts)
    done = sum(v.unknown_done for v in verdicts)
    latencies = sorted(each for tally in tallies for each in tally.latencies)
    cells = (
        name,
        len(tallies),
        sum(v.revisions for v in verdicts),
        sum(v.acknowledged for v in verdicts),
        sum(v.reads for v in verdicts),
        f"{unknown} ({done})",
        sum(v.expired for v in verdicts),
        sum(v.gated for v in verdicts),
        tallies[-1].reconnects if tallies else 0,
        f"{_ms(latencies, 0.5)}, {_ms(latencies, 0.99)}",
        f"{max((tally.silence for tally in tallies), default=0):.1f}",
        sum(len(tally.violations) for tally in tallies),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _ms(ascending: list[float], share: float) -> int:
    return round(percentile(ascending, share) * 1000)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
