"""Where the log goes and how its lines look: text, or one JSON object a line with etcd's keys.

A message is written as text and `key=value` pairs (`log.info("stopped calls=%d", 3)`); the JSON
form has the pairs as fields of their own, with numbers as numbers.
"""

from __future__ import annotations

import datetime
import json
import logging
import logging.handlers
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from datastore.errors import ConfigError

CONSOLE = "%(asctime)s %(levelname)s %(name)s %(message)s"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
NAMES = {logging.WARNING: "warn", logging.CRITICAL: "fatal"}
ROOT = Path(__file__).parents[1]
STREAMS = ("default", "stderr", "stdout")
_CONVERSION = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z%]")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
_HOLE = "\0"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Least level, `json` or `console`, and outputs: default, stderr, stdout or files."""

    level: str = "info"
    format: str = "console"
    outputs: tuple[str, ...] = ("default",)

    def __post_init__(self) -> None:
        """Refuse outputs that cannot be."""
        if "systemd/journal" in self.outputs:
            raise ConfigError(
                "--log-outputs systemd/journal is not supported: write stderr, which systemd "
                "puts into its journal"
            )


class JsonLines(logging.Formatter):
    """One JSON object a line: level, ts, logger, caller, msg, and the message's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text, fields = split(record)
        line = {
            "level": NAMES.get(record.levelno, record.levelname.lower()),
            "ts": _time(record.created),
            "logger": record.name,
            "caller": f"{_place(record.pathname)}:{record.lineno}",
            "msg": text,
        }
        line |= {key: value for key, value in fields.items() if key not in line}
        if record.exc_info:
            line["stacktrace"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        except TypeError:  # numbers of more than 64 bits, text that is no UTF-8
            return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """Lines for people; bytes of a name that are no UTF-8 are escaped, as any output can take."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return super().format(record).encode(errors="backslashreplace").decode()


def split(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Return a record's text and its `key=value` fields.

    Pairs are looked for before values are put in, so that a value may hold anything.
    """
    if not isinstance(record.args, tuple):
        return record.getMessage(), {}
    template, values = _with_holes(str(record.msg), record.args)
    words, fields = [], {}
    for word in template.split(" "):
        if pair := _PAIR.fullmatch(word):
            fields[pair[1]] = _filled(pair[2], values)
        elif word:
            words.append(str(_filled(word, values)))
    return " ".join(words), fields


def _with_holes(message: str, arguments: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Return a message with numbered holes, and what belongs there: numbers, or text as asked."""
    if not arguments:
        return message, []
    left = iter(arguments)
    values: list[Any] = []

    def hole(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = next(left)
        values.append(value if _is_number(value) else found[0] % value)
        return f"{_HOLE}{len(values) - 1}{_HOLE}"

    return _CONVERSION.sub(hole, message), values


def handlers(options: LogOptions) -> list[logging.Handler]:
    """Return the handlers of the outputs; ConfigError names a file that cannot be written."""
    formatter = JsonLines() if options.format == "json" else TextLines(CONSOLE)
    made = [_handler(output) for output in options.outputs or ("default",)]
    for handler in made:
        handler.setFormatter(formatter)
    return made


def configure(options: LogOptions) -> None:
    """Send the process's log where it belongs.

    gRPC writes to stderr by itself, when it is loaded later: a line for each handshake that fails,
    and never as JSON.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE" if options.format == "json" else "ERROR")
    logging.basicConfig(level=LEVELS[options.level], handlers=handlers(options), force=True)


def _handler(output: str) -> logging.Handler:
    if output in STREAMS:
        return logging.StreamHandler(sys.stdout if output == "stdout" else sys.stderr)
    try:
        return logging.handlers.WatchedFileHandler(output)
    except OSError as error:
        raise ConfigError(f"--log-outputs {output}: {error.strerror}") from error


def _filled(text: str, values: list[Any]) -> Any:
    parts = text.split(_HOLE)
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return values[int(parts[1])]
    return "".join(
        str(values[int(part)]) if place % 2 else part for place, part in enumerate(parts)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _time(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _place(path: str) -> str:
    found = Path(path)
    return str(found.relative_to(ROOT)) if found.is_relative_to(ROOT) else found.name
