"""`tapir certs rotate`: new keys and certificates for every component of a cluster.

A running `tapir up` takes them up within seconds. The authority and the key that signs the tokens
of service accounts stay, so that nobody who holds something of theirs is shut out.
"""

import argparse
import datetime
import sys
from pathlib import Path

from tapir.refusal import Refusal


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what to do, and to whose certificates."""
    parser.add_argument("action", choices=("rotate",), help="rotate: issue all of them anew")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="the cluster's data")


def run(flags: argparse.Namespace) -> int:
    """Issue the certificates, name them, and return the exit code."""
    from control_plane.pki.authority import PkiError
    from control_plane.pki.cluster import rotate_pki

    try:
        names = rotate_pki(flags.data_dir, datetime.datetime.now(datetime.UTC))
    except PkiError as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(f"{error.filename or flags.data_dir}: {error.strerror}") from error
    sys.stdout.write(f"new certificates: {', '.join(names)}\n")
    return 0
