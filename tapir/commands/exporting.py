"""`tapir export`: all keys and leases of a store into an etcd.

Both sides are compared at the end. Exit codes: 0 done, 1 both sides differ (one line a difference
on stdout), 2 when a side cannot be used; the same command goes on where it was interrupted.
"""

import argparse
import os
import sys

from tapir.commands import etcd_flags
from tapir.refusal import refusals_of

EXIT_DIFFERENT = 1
SHOWN = 1_000  # differences; who has more needs no list


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add both sides, and who asks the etcd."""
    add = parser.add_argument
    add(
        "--from",
        dest="source",
        required=True,
        help="the store's database: sqlite:///file.db or postgresql://…",
    )
    add("--to", dest="target", required=True, help="URL of an etcd without keys")
    etcd_flags.add_flags(parser)
    add("--without-users", action="store_true", help="leave users and roles behind")


def run(flags: argparse.Namespace) -> int:
    """Export, and say what has gone over."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said below, in one line
    with refusals_of("datastore"):
        from datastore.tools.moving.etcd_target import EtcdTarget
        from datastore.tools.moving.exporting import export_store
        from datastore.tools.moving.progress import Progress
        from datastore.tools.moving.sources import database_source

        done = export_store(
            database_source(flags.source),
            EtcdTarget(etcd_flags.server_of(flags, flags.target)),
            Progress(sys.stderr),
            without_users=flags.without_users,
            most=SHOWN,
        )
    for difference in done.differences:
        sys.stdout.write(f"{difference}\n")
    if done.differences:
        sys.stdout.write("both sides differ: something else writes to one of them: stop that\n")
        return EXIT_DIFFERENT
    before = f", {done.before} of them before" if done.before else ""
    sys.stdout.write(
        f"exported and compared {done.keys} keys{before} and {done.leases} leases; "
        f"the etcd is at revision {done.revision}\n"
    )
    return 0
