"""`make bench`: measure, print, and write docs/benchmarks.md."""

import argparse
import sys
from pathlib import Path

from tests.bench import clusters, datastores
from tests.bench.load import load_client
from tests.bench.machine import REPOSITORY, describe
from tests.bench.report import render

PARTS = ("datastore", *clusters.STORES)


def main() -> int:
    """Run the chosen parts; all of them unless some are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="what to measure")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "benchmarks.md")
    args = parser.parse_args()
    parts = args.parts or PARTS
    client = load_client()
    measured = datastores.measure(client, _say) if "datastore" in parts else None
    results = [clusters.measure(store, _say) for store in clusters.STORES if store in parts]
    text = render(describe(), client.name, measured, results)
    args.output.write_text(text)
    print(text)  # noqa: T201
    return 0


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
