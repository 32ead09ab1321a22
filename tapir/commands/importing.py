"""`tapir import`: a whole store from an etcd, a file or another database into a new store.

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
    """Add both sides, and who asks the source."""
    add = parser.add_argument
    add(
        "--from",
        dest="source",
        required=True,
        help="an etcd's URL, an etcd snapshot, a kine, rhino or Tapir database (URL or file)",
    )
    add(
        "--to",
        dest="target",
        required=True,
        help="new store's database: sqlite:///file.db or postgresql://…",
    )
    etcd_flags.add_flags(parser)
    add("--without-users", action="store_true", help="leave users and roles behind")


def run(flags: argparse.Namespace) -> int:
    """Import, and say what has come over."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said below, in one line
    with refusals_of("datastore"):
        from datastore.tools.moving.importing import import_store
        from datastore.tools.moving.progress import Progress
        from datastore.tools.moving.sources import source_of

        server = etcd_flags.server_of(flags, flags.source)
        done = import_store(
            source_of(server),
            flags.target,
            Progress(sys.stderr),
            without_users=flags.without_users,
            shown=SHOWN,
        )
    for difference in done.differences:
        sys.stdout.write(f"{difference}\n")
    if done.differences:
        sys.stdout.write("both sides differ: empty the target, and import again\n")
        return EXIT_DIFFERENT
    before = f", {done.before} of them before" if done.before else ""
    sys.stdout.write(
        f"imported and compared {done.keys} keys{before} and {done.leases} leases "
        f"at revision {done.revision}\n"
    )
    return 0
