"""The `tapir` command: finds the sub-command, parses its flags, and turns failures into one line.

Exit codes: 0 after a clean stop, 2 when a flag, a file, an address or a database cannot be used
(nothing was changed then), 1 when a running component failed.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

import tapir
from tapir.commands import COMMANDS, EXIT_USAGE
from tapir.refusal import Refusal


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the flag and where to look."""

    def error(self, message: str) -> NoReturn:
        """Print the message and leave with exit code 2."""
        sys.stderr.write(f"{self.prog}: {message} (see `{self.prog} --help`)\n")
        sys.exit(EXIT_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `tapir` with `arguments` (the process's own when None) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((row for row in COMMANDS if words[:1] == [row.name]), None)
    if command is None:
        _overview().parse_args(words)
        raise AssertionError("the overview either prints help or refuses")
    parser = OneLineParser(prog=f"tapir {command.name}", description=command.help)
    command.add_flags(parser)
    try:
        return command.run(parser.parse_args(words[1:]))
    except Refusal as error:
        sys.stderr.write(f"tapir {command.name}: {error}\n")
        return EXIT_USAGE


def _overview() -> OneLineParser:
    """The parser of `tapir` without a command it knows: it names them all."""
    parser = OneLineParser(prog="tapir", description=tapir.__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for row in COMMANDS:
        commands.add_parser(row.name, help=row.help)
    return parser
