"""`tapir export`: all keys and leases of a store into an etcd."""

import argparse
import sys

from tapir.commands import etcd_flags
from tapir.commands.moving import SHOWN, moving, report


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
    with moving():
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
    before = f", {done.before} of them before" if done.before else ""
    said = (
        f"exported and compared {done.keys} keys{before} and {done.leases} leases; "
        f"the etcd is at revision {done.revision}"
    )
    return report(said, done.differences, "something else writes to one of them: stop that")
