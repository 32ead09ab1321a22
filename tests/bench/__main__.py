"""`make bench`: measure, print, and write docs/benchmarks.md.

    python -m tests.bench                                   everything (about an hour and a half)
    python -m tests.bench put txn range                     some rows, beside a real etcd
    python -m tests.bench put --quick                       one run of 2 s, to steer by
    python -m tests.bench put --runs 3 --seconds 4 --fronts native
    python -m tests.bench put txn --sync-delay 5            every fsync takes 5 ms longer

Parts (PARTS below): rows of the table beside etcd (rows.py), and what is measured of ours alone.
Each part's figures are kept in build/bench; a run replaces those of its parts and writes the page
of all. Quick runs and runs of one front only print, unless `--output` says otherwise.
"""

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.bench import batch, clusters, databases, datastores, growth, rest
from tests.bench.api import admission, definitions
from tests.bench.api import measure as api
from tests.bench.contenders import ETCD, FRONTS
from tests.bench.datastores import Plan
from tests.bench.machine import REPOSITORY, describe
from tests.bench.report import render
from tests.bench.results import Result, keep, kept
from tests.bench.rows import ROWS
from tests.support.etcd import etcd_binary
from tests.support.server_process import ServerDied

PAGE = REPOSITORY / "docs" / "benchmarks.md"
QUICK = (1, 2.0)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line asked for."""

    plan: Plan
    say: Say


def _beside_etcd(part: str) -> Callable[[Choice], Any]:
    rows = [row for row in ROWS if row.part == part]
    return lambda choice: datastores.measure(rows, choice.plan, choice.say)


def _cluster(store: str) -> Callable[[Choice], Any]:
    return lambda choice: clusters.measure(store, choice.say)


def _growth(choice: Choice) -> Any:
    return growth.measure(choice.plan.contenders[1], choice.plan, choice.say)


def _growth_on(part: str) -> Callable[[Choice], Any]:
    return lambda choice: growth.measure_on(part, choice.plan, choice.say)


DELAYED = tuple(dict.fromkeys(row.part for row in ROWS))
PARTS: Mapping[str, Callable[[Choice], Any]] = {
    **{part: _beside_etcd(part) for part in DELAYED},
    "databases": lambda choice: databases.measure(choice.plan, choice.say),
    "growth": _growth,
    **{part: _growth_on(part) for part in growth.DATABASES},
    "idle": lambda choice: rest.idle(choice.plan.contenders, choice.say),
    "leases": lambda choice: rest.leases(choice.plan.contenders, choice.say),
    "batch": lambda choice: batch.measure(choice.say),
    "api": lambda choice: api.measure(choice.plan.runs, choice.plan.seconds, choice.say),
    "admission": lambda choice: admission.measure(
        choice.plan.runs, choice.plan.seconds, choice.say
    ),
    "definitions": lambda choice: definitions.measure(
        choice.plan.runs, choice.plan.seconds, choice.say
    ),
    "api-growth": lambda choice: api.growth(choice.plan.runs, choice.plan.seconds, choice.say),
    **{f"cluster-{store.lower()}": _cluster(store) for store in clusters.STORES},
}


def main() -> int:
    """Run the chosen parts; all of them unless some are named."""
    args = _parser().parse_args()
    # A run in the background has SIGINT ignored, and would hand that down to the clusters.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runs, seconds = QUICK if args.quick else (args.runs, args.seconds)
    fronts = [front for front in FRONTS if front in (args.fronts or FRONTS)]
    command = shlex.join(["python", "-m", "tests.bench", *sys.argv[1:]])
    whole = not args.quick and len(fronts) == len(FRONTS)
    measured: dict[str, Result] = {}
    failed = False
    for delay in _delays(args):
        choice = Choice(Plan((ETCD, *fronts), runs, seconds, delay), _say)
        for part in (part for part in args.parts or PARTS if not delay or part in DELAYED):
            result = _result(part, f"sync-{delay:g}ms" if delay else "", command, choice)
            if result is None:
                failed = True
                continue
            measured[result.name] = result
            if whole:
                keep(result)  # at once: a later part may take an hour
    print(render(measured))  # noqa: T201
    if whole or args.output:
        (args.output or PAGE).write_text(render({**kept(), **measured}))
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=", ".join(PARTS), choices=[[], *PARTS])
    add("--runs", type=int, default=5, help="alternating runs of each figure (5)")
    add("--seconds", type=float, default=5.0, help="length of a run (5)")
    add("--fronts", nargs="*", choices=FRONTS, help="fronts of ours (all)")
    add("--sync-delay", type=float, help="milliseconds that each fsync takes longer")
    add("--quick", action="store_true", help="one run of 2 s; the page is left alone")
    add("--output", type=Path, help="the page to write (docs/benchmarks.md)")
    return parser


def _delays(args: argparse.Namespace) -> Sequence[float]:
    """Without parts or a delay of one's own, each row is measured with both."""
    if args.sync_delay is not None:
        return [args.sync_delay]
    return [0.0] if args.parts else [0.0, 5.0]


def _result(part: str, variant: str, command: str, choice: Choice) -> Result | None:
    """Measure a part; leave out, audibly, what cannot be: a server is missing, a request failed."""
    machine = describe()
    try:
        if part in DELAYED:
            machine.append(str(etcd_binary()))
        figures = PARTS[part](choice)
    except (pytest.skip.Exception, pytest.fail.Exception, RuntimeError, ServerDied) as trouble:
        _say(f"{part} is left out: {trouble}")
        return None
    return Result(part, variant, command, machine, figures)


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
