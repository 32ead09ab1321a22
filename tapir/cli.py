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
    parser = OneLineParser(prog="tapir", description=tapir.__doc__)
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = parsers.add_parser(command.name, help=command.help, description=command.help)
        if words[:1] == [command.name]:
            command.add_flags(sub)
    flags = parser.parse_args(words)
    command = next(row for row in COMMANDS if row.name == flags.command)
    try:
        return command.run(flags)
    except Refusal as error:
        sys.stderr.write(f"tapir {command.name}: {error}\n")
        return EXIT_USAGE
