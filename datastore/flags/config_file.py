"""The configuration file: YAML with flag names as keys, and etcd's sections for TLS and sockets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from datastore.errors import ConfigError
from datastore.flags.flag import DURATION, Flag
from datastore.flags.renamed import IGNORED_KEYS, SECTION_KEYS
from datastore.flags.sources import Given
from datastore.flags.table import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[str, Any]


def from_file(path: str) -> dict[str, Given]:
    """Read a file; ConfigError names it and the wrong key. A key without a value is unset."""
    given = {}
    for key, value in _pairs(path, _load(path)):
        name = SECTION_KEYS.get(key, key)
        if value is None or key in IGNORED_KEYS:
            continue
        if name not in FLAGS or name == "config-file":
            raise ConfigError(f"{path}: there is no flag {key}")
        given[name] = Given(_text(FLAGS[name], value), f"{path}: {key}")
    return given


def _load(path: str) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"--config-file {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"--config-file {path} is not YAML: {said}") from error
    except RecursionError as error:
        raise ConfigError(f"--config-file {path}: there is too much in one another") from error
    if loaded is not None and not isinstance(loaded, dict):
        raise ConfigError(f"--config-file {path}: write `flag: value` lines")
    return loaded or {}


def _pairs(path: str, content: dict[str, Any]) -> Iterator[Pair]:
    """Yield every key with its value; that of a section is `section.key`."""
    sections = {key.partition(".")[0] for key in (*SECTION_KEYS, *FLAGS) if "." in key}
    for key, value in content.items():
        if key not in sections:
            yield str(key), value
        elif isinstance(value, dict):
            yield from ((f"{key}.{inner}", held) for inner, held in value.items())
        elif value is not None:
            raise ConfigError(f"{path}: {key} is not a section: write its keys below it")


def _text(flag: Flag, value: Any) -> str:
    """Return a YAML value as a command line would say it; a bare duration is in nanoseconds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, int) and flag.kind is DURATION:
        return f"{value}ns"
    return str(value)
