"""Writes docs/reference/flags.md from the commands' own parsers: `make flags`.

Flags that are etcd's have a state more, which follows from the tables of what has no effect and
what is refused; `PARTIAL` names those that do a part of what etcd's do, and `OURS` those that etcd
has not.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from tapir.commands import COMMANDS, Command

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "flags.md"
SHOWN_DEFAULT = re.compile(r" \((?:default )?%\(default\)s\)")  # has a column of its own
HEAD = "# Flags\n\nWhat each sub-command can be told; `tapir COMMAND --help` prints the same.\n"
ETCDS = "datastore"  # the sub-command whose flags are etcd's
STATES = (
    "The state is *yes*: as on etcd 3.6.14; *partial*, with the reason; *no*: accepted without "
    "effect, or refused by name, for the reason in the row; *ours*: etcd has no such flag."
)
PARTIAL: Mapping[str, str] = {
    "--listen-client-urls": "HTTP beside gRPC only on URLs that --listen-client-http-urls has too",
    "--advertise-client-urls": "another default; etcd wants it beside --listen-client-urls",
    "--initial-cluster": "one member alone on SQLite",
    "--client-crl-file": "judged at each call, not in the handshake",
    "--client-cert-allowed-hostname": "judged at each call, not in the handshake",
    "--cipher-suites": "3DES and RC4 are refused",
    "--tls-max-version": "TLS1.2 is refused",
    "--log-format": "another default",
    "--initial-advertise-peer-urls": "told, and used by nobody",
}
OURS = ("--endpoint", "--endpoint-password-file", "--endpoint-listen", "--grpc-front")
OLD_NAME = re.compile(r"old name of (--[a-z0-9-]+)")


def section(command: Command) -> str:
    """The heading, and a table with a row for each flag."""
    parser = argparse.ArgumentParser()
    command.add_flags(parser)
    actions = [action for action in parser._actions if action.dest != "help"]
    etcds = command.name == ETCDS
    lines = ["| flag | meaning | default |", "|---|---|---|", *map(row, actions)]
    if etcds:
        states = [" state |", "---|", *(f" {state(action, actions)} |" for action in actions)]
        lines = [line + more for line, more in zip(lines, states, strict=True)]
    title = command.help[0].upper() + command.help[1:]
    notes = [line for line in (command.note, STATES if etcds else "") if line]
    texts = [text for note in (f"{title}.", *notes) for text in (note, "")]
    table = [*lines, ""] if actions else []
    return "\n".join([f"## tapir {command.name}", "", *texts, *table])


def row(action: argparse.Action) -> str:
    """One flag as a table row."""
    meaning = SHOWN_DEFAULT.sub("", action.help or "").replace("|", "\\|")
    name = ", ".join(action.option_strings) or action.metavar or action.dest.upper()
    return f"| `{name}` | {meaning} | {default(action)} |"


def state(action: argparse.Action, others: list[argparse.Action]) -> str:
    """How far a flag of etcd's does here what it does there."""
    (flag,) = action.option_strings
    renamed = OLD_NAME.match(action.help or "")
    if renamed:
        return state(next(a for a in others if renamed[1] in a.option_strings), others)
    if flag in OURS:
        return "ours"
    if flag in PARTIAL:
        return f"partial: {PARTIAL[flag]}"
    return "no" if (action.help or "").startswith(("accepted without", "refused")) else "yes"


def default(action: argparse.Action) -> str:
    """What holds without the flag, "" for nothing."""
    if action.required:
        return "required"
    if action.default in (None, "", [], ()):
        return ""
    if isinstance(action.default, list | tuple):
        return f"`{','.join(map(str, action.default))}`"
    return f"`{action.default}`"


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(section, COMMANDS)]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
