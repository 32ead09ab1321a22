"""What `tapir import` and `tapir export` have in common: what they say, and how they end.

Both compare both sides at the end. Exit codes: 0 done, 1 both sides differ (one line a difference
on stdout), 2 when a side cannot be used or somebody interrupts; the same command goes on then.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tapir.refusal import Refusal, refusals_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXIT_DIFFERENT = 1
SHOWN = 1_000  # differences; who has more needs no list


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
