"""Directories that killed servers leave are removed by the next one; those in use are not."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from datastore.private_directory import PREFIX, PrivateDirectory
from tests.support.datastore import REPOSITORY

MAKES_ONE = """
import time
from datastore.private_directory import PrivateDirectory
made = PrivateDirectory()
(made.path / "file").touch()
print(made.path, flush=True)
time.sleep(100)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_nobody_else_may_enter_and_nothing_is_left() -> None:
    with PrivateDirectory() as made:
        (made.path / "file").touch()
        assert made.path.stat().st_mode & 0o77 == 0

    assert not made.path.exists()


def test_what_a_killed_server_left() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKES_ONE], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())

        with PrivateDirectory() as ours:
            assert (theirs / "file").exists()
            other.send_signal(signal.SIGKILL)
            other.wait()
            with PrivateDirectory():
                assert not theirs.exists()
                assert ours.path.exists()


def test_what_is_not_a_directory_of_ours(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / "other").mkdir()
    os.symlink(tmp_path / "other", tmp_path / f"{PREFIX}link")

    with PrivateDirectory():
        assert (tmp_path / "other").exists()
        assert (tmp_path / f"{PREFIX}file").exists()
