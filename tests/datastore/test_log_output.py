"""The log as JSON lines, on levels, and in files."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from datastore.errors import ConfigError
from datastore.log_output import JsonLines, LogOptions, handlers


def line(message: str, *args: object, **more: Any) -> dict[str, Any]:
    record = logging.LogRecord(
        "datastore.server", logging.WARNING, __file__, 7, message, args, more.get("exc_info")
    )
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_pairs_are_fields() -> None:
    found = line("stopped taking calls open=%d seconds=%.1f why=%s", 3, 0.5, "a b=c\n")

    assert found["msg"] == "stopped taking calls"
    assert (found["open"], found["seconds"], found["why"]) == (3, 0.5, "a b=c\n")
    assert (found["level"], found["logger"]) == ("warn", "datastore.server")
    assert found["caller"].endswith("test_log_output.py:7")
    assert found["ts"].endswith("Z")


def test_values_in_the_text_stay_there() -> None:
    found = line("read %s of %d%% state=done", "half", 50)

    assert found["msg"] == "read half of 50%"
    assert found["state"] == "done"


def test_a_message_of_another_library_is_taken_as_it_is() -> None:
    assert line("plain")["msg"] == "plain"
    assert line("%(a)s here", {"a": "text"})["msg"] == "text here"


def test_a_field_does_not_hide_what_every_line_has() -> None:
    assert line("changed level=%s", "x")["level"] == "warn"


def test_a_traceback_is_a_field() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        caught = (type(error), error, error.__traceback__)
    found = line("internal error", exc_info=caught)

    assert "ValueError: broken" in found["stacktrace"]


def test_what_is_no_utf_8_or_too_large_is_logged_all_the_same(tmp_path: Path) -> None:
    assert line("variable=%s", "ETCD_\udcff")["variable"] == "ETCD_\udcff"
    assert line("size=%d", 1 << 80)["size"] == 1 << 80
    path = tmp_path / "log"
    (handler,) = handlers(LogOptions(outputs=(str(path),)))
    logger = logging.Logger("test")
    logger.addHandler(handler)

    logger.info("variable=%s", "ETCD_\udcff")
    handler.close()

    assert path.read_text().endswith("variable=ETCD_\\udcff\n")


def test_a_file_is_an_output_and_is_opened_anew_when_it_was_moved(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (handler,) = handlers(LogOptions(format="json", outputs=(str(path),)))
    logger = logging.Logger("test")
    logger.addHandler(handler)

    logger.info("first")
    path.rename(tmp_path / "old")
    logger.info("second")
    handler.close()

    assert json.loads((tmp_path / "old").read_text())["msg"] == "first"
    assert json.loads(path.read_text())["msg"] == "second"


def test_a_file_that_cannot_be_written_is_named() -> None:
    with pytest.raises(ConfigError, match="--log-outputs /no/such/file: No such file"):
        handlers(LogOptions(outputs=("/no/such/file",)))
