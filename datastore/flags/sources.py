"""Where values come from: the command line in Go's syntax, or the environment. Still text here.

Both return what was given by the flag's name. ConfigError names a flag that there is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import ConfigError
from datastore.flags.flag import BOOLEAN, Flag
from datastore.flags.table import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREFIX = "ETCD_"


class Given(NamedTuple):
    """A value as text, and how to name the place where it was given."""

    text: str
    place: str


def from_command_line(words: Sequence[str]) -> dict[str, Given]:
    """Read `--flag=value`, `--flag value`, `-flag …`, a boolean's `--flag`; the last counts."""
    given = {}
    rest = iter(words)
    for word in rest:
        name, equals, text = word.lstrip("-").partition("=")
        flag = _flag_of(word, name)
        if not equals:
            text = "true" if flag.kind is BOOLEAN else _next(rest, name)
        given[name] = Given(text, f"--{name}")
    return given


def from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """Read every variable of a flag; an empty one is not set."""
    return {
        flag.name: Given(environ[flag.variable], flag.variable)
        for flag in FLAGS.values()
        if not flag.in_files_only and environ.get(flag.variable)
    }


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return variables that look like a flag's and are not."""
    known = {flag.variable for flag in FLAGS.values() if not flag.in_files_only}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _flag_of(word: str, name: str) -> Flag:
    dashes = len(word) - len(word.lstrip("-"))
    flag = FLAGS.get(name)
    if not dashes or not name:
        raise ConfigError(f"{word!r} is not a flag: flags begin with --")
    if flag is None or flag.in_files_only or dashes > 2:
        raise ConfigError(f"there is no flag {word.partition('=')[0]}")
    return flag


def _next(rest: Iterator[str], name: str) -> str:
    text = next(rest, None)
    if text is None:
        raise ConfigError(f"--{name} needs a value: write --{name}=VALUE")
    return text
