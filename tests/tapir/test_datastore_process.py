"""The datastore that `tapir up` starts: what others on the machine can see of it."""

import argparse
from pathlib import Path

import pytest

from tapir.up.config import add_flags, from_args
from tapir.up.datastore_process import DatastoreProcess


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def test_the_databases_url_is_not_in_the_list_of_processes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    words = ["--node-name=n", f"--data-dir={tmp_path}", f"--datastore=sqlite:///{tmp_path}/s3cr3t"]
    process = DatastoreProcess(from_args(parser.parse_args(words)))
    try:
        await process.start()
        line = command_line(process.pid)
    finally:
        await process.stop()

    assert b"datastore" in line
    assert b"s3cr3t" not in line
    assert (tmp_path / "s3cr3t").exists()
    assert "error" not in capfd.readouterr().err  # it stopped in order
