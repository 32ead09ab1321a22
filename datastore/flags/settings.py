"""Settings: the checked value of every flag, and what the log should say about how it came.

`read` follows etcd's rules: a configuration file stands alone; a flag and its variable may not both
be given; neither may a flag and its old name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datastore.backends.endpoint_url import has_password
from datastore.errors import ConfigError
from datastore.flags.config_file import from_file
from datastore.flags.sources import (
    Given,
    from_command_line,
    from_environment,
    unknown_variables,
)
from datastore.flags.table import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Note = tuple[str, str, str]  # level, message with one %s, what to put there
OURS = (
    "endpoint",
    "endpoint-password-file",
    "endpoint-listen",
    "grpc-front",
)  # not etcd's: never ignored in silence
WITH_PASSWORD = ("endpoint", "endpoint-listen")


@dataclass(frozen=True, slots=True)
class Settings:
    """`values` has every flag; `given` those that were set; `notes` are lines for the log.

    `exposed` are the flags that show a password to everybody.
    """

    values: Mapping[str, Any]
    given: frozenset[str]
    notes: tuple[Note, ...] = ()
    exposed: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def read(words: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read flags and environment, or the configuration file that they name."""
    flags, variables = from_command_line(words), from_environment(environ)
    path = (flags.get("config-file") or variables.get("config-file") or Given("", "")).text
    if path:
        return _checked(_alone(path, flags | variables), (("info", "configuration file=%s", path),))
    both = sorted(flags.keys() & variables.keys())
    if both:
        variable = FLAGS[both[0]].variable
        raise ConfigError(
            f"conflicting environment variable {variable} is shadowed by corresponding "
            "command-line flag (either unset environment variable or disable flag)"
        )
    used = [("info", "recognized environment variable=%s", v.place) for v in variables.values()]
    unknown = [
        ("warn", "unrecognized environment variable=%s", name)
        for name in unknown_variables(environ)
    ]
    return _checked(flags | variables, (*used, *unknown))


def _alone(path: str, others: Mapping[str, Given]) -> dict[str, Given]:
    """Return what the file says; refuse to ignore what only this server has."""
    for name in OURS:
        if name in others:
            place = others[name].place
            raise ConfigError(f"{place} does not count beside a --config-file: write it in {path}")
    return from_file(path)


def _checked(given: Mapping[str, Given], notes: tuple[Note, ...] = ()) -> Settings:
    values = {flag.name: flag.kind.parse(flag.default) for flag in FLAGS.values()}
    values |= {name: _parsed(name, value) for name, value in given.items()}
    old = [FLAGS[name] for name in given if FLAGS[name].instead]
    for flag in old:
        if flag.instead in given:
            raise ConfigError(
                f"cannot set --{flag.name} and --{flag.instead} at the same time, "
                f"please use --{flag.instead} only"
            )
        values[flag.instead] = values[flag.name]
    deprecated = tuple(("warn", "deprecated flag=%s", f"--{flag.name}") for flag in old)
    names = frozenset(given) | {flag.instead for flag in old}
    _refuse(names, values)
    idle = sorted(name for name in names if FLAGS[name].no_effect)
    without = (
        (("info", "accepted without effect flags=%s", "--" + ",--".join(idle)),) if idle else ()
    )
    return Settings(values, names, (*notes, *deprecated, *without), _shown_to_all(given))


def _shown_to_all(given: Mapping[str, Given]) -> tuple[str, ...]:
    """Return the flags with a password on the command line, which is everybody's to read."""
    flags = {f"--{name}": given[name] for name in WITH_PASSWORD if name in given}
    return tuple(
        flag for flag, value in flags.items() if value.place == flag and has_password(value.text)
    )


def _parsed(name: str, given: Given) -> Any:
    try:
        return FLAGS[name].kind.parse(given.text)
    except ValueError as error:
        raise ConfigError(f"{given.place} {given.text!r}: {error}") from error


def _refuse(names: frozenset[str], values: Mapping[str, Any]) -> None:
    for name in sorted(names):
        flag = FLAGS[name]
        if flag.refused and values[name] != flag.kind.parse(flag.default):
            raise ConfigError(f"--{name} is not supported: {flag.refused}")
