"""The `tapir` command: finds the sub-command, parses its flags, and turns failures into one line.

Exit codes: 0 after a clean stop, 2 when a flag, a file, an address or a database cannot be used
(nothing was changed then), 1 when a running component failed.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

import tapir
from tapir.commands import COMMANDS, EXIT_USAGE, Command
from tapir.refusal import Refusal

NEGATIVE_NUMBER = re.compile(r"-[\d.]")


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the flag and where to look."""

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Refuse a flag that there is not, before argparse asks for those that were left out.

        A mistyped flag is named as such, not as the absence of the one that was meant.
        """
        for word in words:
            flag = word.partition("=")[0]
            if not flag.startswith("-") or NEGATIVE_NUMBER.match(flag):
                continue
            if flag not in self._option_string_actions:
                self.error(f"unrecognized arguments: {flag}")

    def error(self, message: str) -> NoReturn:
        """Print the message and leave with exit code 2."""
        sys.stderr.write(f"{self.prog}: {message} (see `{self.prog} --help`)\n")
        sys.exit(EXIT_USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `tapir` with `arguments` (the process's own when None) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((row for row in COMMANDS if words[:1] == [row.name]), None)
    if command is None:
        overview = _overview()
        overview.refuse_unknown(words[:1])
        overview.parse_args(words)
        raise AssertionError("the overview either prints help or refuses")
    try:
        return command.run(_flags(command, words[1:]))
    except Refusal as error:
        sys.stderr.write(f"tapir {command.name}: {error}\n")
        return EXIT_USAGE


def _flags(command: Command, words: Sequence[str]) -> argparse.Namespace:
    """Parse what follows the sub-command's name."""
    if command.parse is not None:
        return command.parse(words)
    parser = OneLineParser(
        prog=f"tapir {command.name}", description=command.help, allow_abbrev=False
    )
    command.add_flags(parser)
    parser.refuse_unknown(words)
    return parser.parse_args(words)


def _overview() -> OneLineParser:
    """The parser of `tapir` without a command it knows: it names them all."""
    parser = OneLineParser(prog="tapir", description=tapir.__doc__)
    parser.add_argument("--version", action="version", version=f"tapir {tapir.VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for row in COMMANDS:
        commands.add_parser(row.name, help=row.help)
    return parser
