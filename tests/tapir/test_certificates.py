"""`tapir certificates`, and the flags of `tapir up` that take what it makes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port

FILES = {f"{name}.{kind}" for name in ("ca", "server", "client") for kind in ("crt", "key")}


def tapir(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tapir", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make(directory: Path, names: str = "store,127.0.0.1") -> dict[str, bytes]:
    """Run the command and return what is in the directory then."""
    done = tapir("certificates", "--directory", directory, "--names", names)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    made = make(tmp_path / "pki")

    assert set(made) == FILES
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "pki").iterdir()}
    assert {mode for name, mode in modes.items() if name.endswith(".key")} == {0o600}


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    assert make(tmp_path) == make(tmp_path)


def test_another_name_makes_another_certificate_of_the_server_alone(tmp_path: Path) -> None:
    before, after = make(tmp_path), make(tmp_path, "other")

    assert {name for name in FILES if before[name] != after[name]} == {"server.crt", "server.key"}


@pytest.mark.parametrize("names", ["", "a b", "https://a", "localhost,-"])
def test_what_is_no_name_is_refused(tmp_path: Path, names: str) -> None:
    done = tapir("certificates", "--directory", tmp_path / "pki", "--names", names)

    assert done.returncode == 2
    assert "--names" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "pki").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = tapir("certificates", "--directory", tmp_path / "file" / "pki")

    assert done.returncode == 2
    assert "file" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--etcd-cafile={}/ca.crt"], "--etcd-cafile"),
        (["--etcd-servers=http://127.0.0.1:1", "--etcd-cafile={}/ca.crt"], "--etcd-cafile"),
        (["--etcd-servers=https://127.0.0.1:1", "--etcd-cafile={}/none"], "none"),
        (["--etcd-servers=https://127.0.0.1:1", "--etcd-certfile={}/client.crt"], "--etcd-keyfile"),
    ],
)
def test_up_refuses_files_that_would_not_be_used(
    tmp_path: Path, words: list[str], named: str
) -> None:
    make(tmp_path)
    ports = (f"--secure-port={free_port()}", f"--kubelet-port={free_port()}")
    data_dir = f"--data-dir={tmp_path / 'data'}"

    done = tapir("up", data_dir, *ports, *(word.format(tmp_path) for word in words))

    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
