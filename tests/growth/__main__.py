"""`make growth`: a day of updates on each database, and a table of the sizes."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable

from tests.growth.churn import INTERVALS, KEYS, UPDATES, Plan
from tests.growth.databases import DATABASES, MIB, Sizes
from tests.growth.run import BOUND, Grown, grow

REST_SECONDS = 20.0
BOUNDED = ("sqlite", "postgresql")  # InnoDB gives nothing back by itself
HEAD = (
    "| store | updates | seconds | kept (live and history) | highest | at the end | after a rest | "
    "times what is kept | defragmented | rows too many |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """Churn; 1 when a file is more than BOUND times what is kept, or rows are left over."""
    parser = argparse.ArgumentParser(prog="growth")
    parser.add_argument("--updates", type=int, default=UPDATES)
    parser.add_argument("--store", choices=DATABASES, action="append", help="only this one")
    flags = parser.parse_args()
    plan = Plan(updates=flags.updates, interval=max(flags.updates // INTERVALS, KEYS))
    rows, failed = [], False
    for name in flags.store or DATABASES:
        with DATABASES[name]() as database:
            grown = asyncio.run(grow(database, plan, REST_SECONDS, _say(name)))
        rows.append(_row(name, plan, grown))
        failed = failed or grown.garbage > 0 or (name in BOUNDED and _too_large(name, grown))
    _print("\n".join(("", HEAD, *rows)))
    return int(failed)


def _too_large(name: str, grown: Grown) -> bool:
    """Say whether a store is; SQLite's log counts in, that of a database is its own matter."""
    log = grown.rested.beside if name == "sqlite" else 0
    return grown.rested.store + log > BOUND * grown.kept


def _say(name: str) -> Callable[[str], None]:
    said = 0.0

    def say(text: str) -> None:
        nonlocal said
        if time.monotonic() - said > REST_SECONDS:
            said = time.monotonic()
            _print(f"{name} {text}")

    return say


def _row(name: str, plan: Plan, grown: Grown) -> str:
    cells = (
        name,
        f"{plan.updates:,}",
        f"{grown.seconds:.0f}",
        f"{grown.kept / MIB:.1f} MiB",
        *map(_sizes, (grown.highest, grown.end, grown.rested)),
        f"{grown.rested.store / grown.kept:.2f}",
        _sizes(grown.defragmented),
        grown.garbage,
    )
    return f"| {' | '.join(map(str, cells))} |"


def _sizes(sizes: Sizes) -> str:
    waiting = f", {sizes.waiting:,} to do" if sizes.waiting else ""
    return f"{sizes.store / MIB:.1f} + {sizes.beside / MIB:.1f} MiB{waiting}"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
