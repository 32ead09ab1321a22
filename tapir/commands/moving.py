"""What `tapir import` and `tapir export` have in common: flags, what they say, and how they end.

Both compare both sides at the end. Exit codes: 0 done, 1 both sides differ (one line a difference
on stdout), 2 when a side cannot be used or somebody interrupts; the same command goes on then.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tapir.commands import etcd_flags
from tapir.refusal import Refusal, refusals_of

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Sequence

EXIT_DIFFERENT = 1
SHOWN = 1_000  # differences; who has more needs no list


def add_flags(parser: ArgumentParser, note: str = "") -> None:
    """Add who asks the etcd, and who stays behind; `note` stands before that."""
    etcd_flags.add_flags(parser)
    stay = f"{note}leave users and roles behind"
    parser.add_argument("--without-users", action="store_true", help=stay)


def moved(verb: str, keys: int, before: int, leases: int) -> str:
    """Say what has gone over, `before` of it in an earlier attempt."""
    earlier = f", {before} of them before" if before else ""
    return f"{verb} and compared {keys} keys{earlier} and {leases} leases"


@contextmanager
def moving() -> Iterator[None]:
    """Turn what ends a move early into one line."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said here, in one line
    try:
        with refusals_of("datastore"):
            yield
    except KeyboardInterrupt as error:
        raise Refusal("interrupted: the same command goes on where it stopped") from error


def report(done: str, differences: Sequence[object], remedy: str) -> int:
    """Say what was done, or in what both sides differ, and return the exit code."""
    for difference in differences:
        sys.stdout.write(f"{difference}\n")
    sys.stdout.write(f"both sides differ: {remedy}\n" if differences else f"{done}\n")
    return EXIT_DIFFERENT if differences else 0
