"""`tapir datastore`: `python -m datastore` under Tapir's roof, with etcd's flags in Go's syntax."""

import argparse
import importlib
from collections.abc import Sequence

from datastore.flags.help import NOTE, add_flags
from tapir.parent import tie_to_parent
from tapir.refusal import Refusal, refusals_of
from tapir.runner import run_until_signal

__all__ = ["NOTE", "add_flags", "parse", "run"]

PROGRAM = "tapir datastore"


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the words as etcd would; Refusal names what is wrong."""
    from datastore.command import config_of

    try:
        with refusals_of("datastore"):
            return argparse.Namespace(config=config_of(PROGRAM, words))
    except Refusal as error:
        raise Refusal(f"{error} (see `{PROGRAM} --help`)") from error


def run(flags: argparse.Namespace) -> int:
    """Serve until a signal."""
    from datastore.command import prepare

    tie_to_parent()
    with refusals_of("datastore"):
        prepare(flags.config)
        server = importlib.import_module("datastore.server")
        return run_until_signal(lambda: server.run(flags.config))
