"""`tapir snapshot save|restore|status`: a store as one file, from any server into any database.

Exit codes: 0 done, 2 when the file, the server or the database cannot be used.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tapir.commands.databases import DATABASES
from tapir.commands.etcd_flags import USER, server_of
from tapir.refusal import Refusal, refusals_of

ACTIONS = {
    "save": "fetch a snapshot from a running server",
    "restore": "make a new store of a snapshot",
    "status": "check a snapshot and say what it holds",
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what to do, the file, and the flags of each action."""
    add = parser.add_argument
    described = "; ".join(f"{name}: {text}" for name, text in ACTIONS.items())
    add("action", choices=ACTIONS, help=described)
    add(
        "file",
        type=Path,
        help="the snapshot; save: or a directory, or a name with {time} in it, for one of a series",
    )
    add("--endpoints", default="http://127.0.0.1:2379", help="save: the server's URL")
    add("--cacert", type=Path, help="save: authority of the server's certificate")
    add("--cert", type=Path, help="save: client certificate")
    add("--key", type=Path, help="save: key of the client certificate")
    add("--user", default="", help=f"save: name[:password] of a user with the role root; or {USER}")
    add("--keep", type=int, help="save: delete all but this many of the series")
    add("--with-pki", type=Path, help="save: put this directory's keys in; restore: into this one")
    add("--endpoint", default="", help=f"restore: database, {DATABASES}")
    add("--bump-revision", type=int, default=0, help="restore: add this to the revision")
    add("--mark-compacted", action="store_true", help="restore: compact up to that revision")
    add("--skip-hash-check", action="store_true", help="restore: take a copy of a database file")
    add("--write-out", choices=("simple", "json"), default="simple", help="status: how to say it")


def run(flags: argparse.Namespace) -> int:
    """Do it and say so, in one line and what else there is to know."""
    with refusals_of("datastore"):
        said = {"save": _save, "restore": _restore, "status": _status}[flags.action](flags)
    sys.stdout.write(f"{said}\n")
    return 0


def _save(flags: argparse.Namespace) -> str:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said below, in one line
    from datastore.tools.snapshot_save import save
    from datastore.tools.snapshot_series import series_of

    if "," in flags.endpoints:
        raise Refusal("snapshot save needs one server: give a single URL in --endpoints")
    series = series_of(flags.file)
    _check_keep(flags.keep, is_series=series is not None)
    path = series.name(datetime.now(UTC)) if series else flags.file
    size = save(server_of(flags, flags.endpoints), path, flags.with_pki)
    removed = series.rotate(flags.keep, path) if series and flags.keep else []
    said = f"snapshot saved to {path}: {size} bytes"
    return "\n".join((said, *(f"removed {old}" for old in removed)))


def _check_keep(keep: int | None, *, is_series: bool) -> None:
    if keep is None:
        return
    if keep < 1:
        raise Refusal("--keep must be 1 or more: the new snapshot is one of them")
    if not is_series:
        raise Refusal("--keep needs a directory that is there, or a file name with {time} in it")


def _restore(flags: argparse.Namespace) -> str:
    from datastore.tools.snapshot_restore import Restore, restore

    if not flags.endpoint:
        raise Refusal(f"snapshot restore needs --endpoint: {DATABASES}")
    if flags.bump_revision < 0:
        raise Refusal("--bump-revision must not be negative")
    if bool(flags.bump_revision) != flags.mark_compacted:
        raise Refusal("--bump-revision and --mark-compacted go together: give both or neither")
    what = Restore(
        flags.file,
        flags.bump_revision,
        flags.mark_compacted,
        check_hash=not flags.skip_hash_check,
        pki=flags.with_pki,
    )
    done = restore(what, flags.endpoint)
    return "\n".join((f"restored at revision {done.revision}", *done.notes))


def _status(flags: argparse.Namespace) -> str:
    from datastore.tools.snapshot_file import status
    from datastore.tools.snapshot_pki import names_in

    found, keys = status(flags.file), names_in(flags.file)
    if flags.write_out == "json":
        return json.dumps(
            {
                "hash": found.hash,
                "revision": found.revision,
                "totalKey": found.keys,
                "totalSize": found.size,
                "pki": keys,
            }
        )
    said = f"{found.hash:08x}, revision {found.revision}, {found.keys} keys, {found.size} bytes"
    return f"{said}, with {len(keys)} files of --with-pki" if keys else said
