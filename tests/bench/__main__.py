"""`make bench`: measure, print, and write docs/benchmarks.md."""

import argparse
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from tests.bench import clusters, datastores
from tests.bench.load import load_client
from tests.bench.machine import REPOSITORY, describe
from tests.bench.report import render

T = TypeVar("T")
PARTS = ("datastore", *clusters.STORES)


def main() -> int:
    """Run the chosen parts; all of them unless some are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "benchmarks.md")
    args = parser.parse_args()
    parts = args.parts or PARTS
    # A run in the background has SIGINT ignored, and would hand that down to the clusters.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    machine, client = describe(), load_client()
    beside = partial(datastores.measure, client, _say)
    measured = _unless_missing(beside) if "datastore" in parts else None
    runs = [partial(clusters.measure, store, _say) for store in clusters.STORES if store in parts]
    results = [result for run in runs if (result := _unless_missing(run)) is not None]
    text = render(machine, client.name, measured, results)
    args.output.write_text(text)
    print(text)  # noqa: T201
    return 0


def _unless_missing(measure: Callable[[], T]) -> T | None:
    """Leave out, audibly, what needs a server that this machine lacks."""
    try:
        return measure()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        _say(f"left out: {missing}")
        return None


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
