"""`tapir check` beside a server at work: exit code 0, 1 with its findings, or 2 with one line."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.support.datastore import REPOSITORY, Datastore


def tapir_check(endpoint: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tapir", "check", "--endpoint", endpoint],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_sound_store_and_then_a_damaged_one(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Datastore(f"sqlite:///{path}"):
        sound = tapir_check(f"sqlite:///{path}")
        with sqlite3.connect(path) as connection:
            connection.execute("INSERT INTO alarm VALUES (5, 9)")
            connection.execute("INSERT INTO kv VALUES (5242880, x'61', 5, 1, 9, 0)")
        connection.close()
        damaged = tapir_check(f"sqlite:///{path}")

    assert (sound.returncode, sound.stdout, sound.stderr) == (0, "", "")
    assert (damaged.returncode, damaged.stderr) == (1, "")
    lines = damaged.stdout.splitlines()
    assert any(
        line.startswith("heads: key a revision 5: kv names an event that history does not have: ")
        and "docs/howto/check.md" in line
        for line in lines
    )
    assert "alarms: alarm of member 5: number 9 is no alarm" in damaged.stdout
    assert "leased: key a revision 5: attached to lease 9" in damaged.stdout


def test_what_cannot_be_checked_is_one_line(tmp_path: Path) -> None:
    refused = tapir_check(f"sqlite:///{tmp_path}/none.db")

    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert f"{tmp_path}/none.db: there is no such file" in line
    assert list(tmp_path.iterdir()) == []


def test_a_store_at_rest_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Datastore(f"sqlite:///{path}"):
        pass
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}

    done = tapir_check(f"sqlite:///{path}")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
