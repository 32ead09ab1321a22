"""`tapir check`: is every invariant of a store true?

One line a finding on stdout, which names the place and the remedy. Exit codes: 0 nothing found, 1
something found, 2 the store cannot be read.
"""

import argparse
import sys
from itertools import islice

from tapir.commands.databases import DATABASES
from tapir.refusal import refusals_of

EXIT_FOUND = 1
SHOWN = 1_000  # a store that is damaged all over is not listed to its end


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the one flag."""
    parser.add_argument(
        "--endpoint",
        required=True,
        help=f"database: {DATABASES}",
    )


def run(flags: argparse.Namespace) -> int:
    """Print what is found, and return the exit code."""
    with refusals_of("datastore"):
        from datastore.tools.check import check

        found = 0
        findings = check(flags.endpoint)
        for finding in islice(findings, SHOWN):
            found += 1
            sys.stdout.write(f"{finding}\n")
        if next(findings, None):
            sys.stdout.write(f"and more: the first {SHOWN} are shown\n")
    return EXIT_FOUND if found else 0
