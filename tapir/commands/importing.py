"""`tapir import`: a whole store from an etcd, a file or another database into a new store."""

import argparse
import sys

from tapir.commands import etcd_flags
from tapir.commands.databases import DATABASES
from tapir.commands.moving import SHOWN, moved, moving, report
from tapir.commands.moving import add_flags as add_moving_flags


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
        help=f"new store's database: {DATABASES}",
    )
    add_moving_flags(parser)


def run(flags: argparse.Namespace) -> int:
    """Import, and say what has come over."""
    with moving():
        from datastore.tools.moving.importing import import_store
        from datastore.tools.moving.progress import Progress
        from datastore.tools.moving.sources import source_of

        done = import_store(
            source_of(etcd_flags.server_of(flags, flags.source, "from")),
            flags.target,
            Progress(sys.stderr),
            without_users=flags.without_users,
            shown=SHOWN,
        )
    said = moved("imported", done.keys, done.before, done.leases)
    said = f"{said} at revision {done.revision}"
    return report(said, done.differences, "empty the target, and import again")
