"""`--help` and the reference page: the table as argparse rows, which argparse only has to print."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from datastore.flags.flag import BOOLEAN
from datastore.flags.table import GROUPS

if TYPE_CHECKING:
    from datastore.flags.flag import Flag

NOTE = (
    "Names and defaults are etcd's. `--max-txn-ops` is also the variable `ETCD_MAX_TXN_OPS` and "
    "the key `max-txn-ops` of a `--config-file`; giving both flag and variable is an error. "
    "`--flag=value`, `--flag value` and `-flag value` are the same; a boolean needs no value."
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add every flag that a command line can say, by subject."""
    for title, rows in GROUPS.items():
        group = parser.add_argument_group(title)
        for flag in rows:
            if not flag.in_files_only:
                group.add_argument(
                    f"--{flag.name}",
                    help=meaning(flag),
                    default=flag.default,
                    metavar="" if flag.kind is BOOLEAN else flag.kind.name.upper(),
                )


def meaning(flag: Flag) -> str:
    """Return what a flag does, or why it does nothing."""
    if flag.instead:
        return f"old name of --{flag.instead}"
    if flag.no_effect:
        return f"accepted without effect: {flag.no_effect}"
    if flag.refused:
        return f"refused but for its default: {flag.refused}"
    return flag.help


def text(prog: str) -> str:
    """Return the help of a command."""
    parser = argparse.ArgumentParser(prog=prog, usage=f"{prog} [flags]", description=NOTE)
    add_flags(parser)
    return parser.format_help()
