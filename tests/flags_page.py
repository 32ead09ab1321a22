"""Writes docs/reference/flags.md from the commands' own parsers: `make flags`."""

import argparse
import re
from pathlib import Path

from tapir.commands import COMMANDS, Command

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "flags.md"
SHOWN_DEFAULT = re.compile(r" \((?:default )?%\(default\)s\)")  # has a column of its own
HEAD = "# Flags\n\nWhat each sub-command can be told; `tapir COMMAND --help` prints the same.\n"


def section(command: Command) -> str:
    """The heading, and a table with a row for each flag."""
    parser = argparse.ArgumentParser()
    command.add_flags(parser)
    rows = [row(action) for action in parser._actions if action.dest != "help"]
    table = ["| flag | meaning | default |", "|---|---|---|", *rows, ""] if rows else []
    title = command.help[0].upper() + command.help[1:]
    note = [command.note, ""] if command.note else []
    return "\n".join([f"## tapir {command.name}", "", f"{title}.", "", *note, *table])


def row(action: argparse.Action) -> str:
    """One flag as a table row."""
    meaning = SHOWN_DEFAULT.sub("", action.help or "").replace("|", "\\|")
    return f"| `{', '.join(action.option_strings)}` | {meaning} | {default(action)} |"


def default(action: argparse.Action) -> str:
    """What holds without the flag, "" for nothing."""
    if action.required:
        return "required"
    if action.default in (None, "", [], ()):
        return ""
    if isinstance(action.default, list | tuple):
        return f"`{','.join(map(str, action.default))}`"
    return f"`{action.default}`"


if __name__ == "__main__":
    PAGE.write_text("\n".join([HEAD, *map(section, COMMANDS)]).rstrip() + "\n")
