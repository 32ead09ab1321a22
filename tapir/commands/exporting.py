"""`tapir export`: a store into an etcd, or into an etcd snapshot."""

import argparse
import sys
from pathlib import Path

from tapir.commands import etcd_flags
from tapir.commands.databases import DATABASES
from tapir.commands.moving import SHOWN, moved, moving, report
from tapir.commands.moving import add_flags as add_moving_flags


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add both sides, and who asks the etcd."""
    add = parser.add_argument
    add(
        "--from",
        dest="source",
        required=True,
        help=f"the store's database: {DATABASES}",
    )
    to = parser.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", dest="target", default="", help="URL of an etcd without keys")
    to.add_argument("--to-snapshot", type=Path, help="etcd snapshot to write, for etcdutl")
    add_moving_flags(parser, "--to: ")


def run(flags: argparse.Namespace) -> int:
    """Export, and say what has gone over."""
    with moving():
        return _snapshot(flags) if flags.to_snapshot else _etcd(flags)


def _etcd(flags: argparse.Namespace) -> int:
    from datastore.tools.moving.etcd_target import EtcdTarget
    from datastore.tools.moving.exporting import export_store
    from datastore.tools.moving.progress import Progress
    from datastore.tools.moving.sources import database_source

    done = export_store(
        database_source(flags.source),
        EtcdTarget(etcd_flags.server_of(flags, flags.target, "to")),
        Progress(sys.stderr),
        without_users=flags.without_users,
        most=SHOWN,
    )
    said = moved("exported", done.keys, done.before, done.leases)
    said = f"{said}; the etcd is at revision {done.revision}"
    return report(said, done.differences, "something else writes to one of them: stop that")


def _snapshot(flags: argparse.Namespace) -> int:
    from datastore.tools.moving.exporting import export_snapshot
    from datastore.tools.moving.progress import Progress
    from datastore.tools.moving.sources import database_source

    source = database_source(flags.source)
    done = export_snapshot(source, flags.to_snapshot, Progress(sys.stderr), most=SHOWN)
    said = f"{moved('exported', done.keys, 0, done.leases)} at revision {done.revision}"
    return report(said, done.differences, "keep the store, and report this")
