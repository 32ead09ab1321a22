"""The keys and certificates of a cluster in a snapshot: in and out on request, for one's eyes."""

import datetime
import hashlib
import io
import ipaddress
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.pki.cluster import ClusterNames, ensure_pki
from datastore.tools.snapshot_pki import MOST_BYTES, CannotPack, pack
from tests.datastore.damage import Said, run
from tests.datastore.test_snapshot_series import server
from tests.support.datastore import Datastore

__all__ = ["server"]

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HERE = ipaddress.ip_address("127.0.0.1")
NAMES = ClusterNames("https://127.0.0.1:6443", (HERE,), "node", (HERE,))


def contents(directory: Path) -> dict[str, bytes]:
    """Every file of a directory, also of those in it."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def modes(directory: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tapir up` keeps."""
    return ensure_pki(tmp_path_factory.mktemp("data"), NAMES, NOW).directory


@pytest.fixture(scope="module")
def snapshot(server: Datastore, pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with it."""
    path = tmp_path_factory.mktemp("saved") / "snapshot.db"
    words = ("--endpoints", server.endpoint, "--with-pki", str(pki))
    assert run("snapshot", "save", str(path), *words).code == 0
    return path


def restore(snapshot: Path, directory: Path, *words: str) -> Said:
    endpoint = f"sqlite:///{directory}/cluster.db"
    return run("snapshot", "restore", str(snapshot), "--endpoint", endpoint, *words)


def test_a_cluster_has_its_keys_back(snapshot: Path, pki: Path, tmp_path: Path) -> None:
    done = restore(snapshot, tmp_path, "--with-pki", f"{tmp_path}/pki")

    assert (done.code, done.err) == (0, "")
    assert "with-pki" not in done.out
    assert contents(tmp_path / "pki") == contents(pki)
    assert modes(tmp_path / "pki") == {0o600}
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in tmp_path.iterdir()} >= {"cluster.db", "pki"}
    assert not list(tmp_path.glob("*.part"))
    before = contents(pki)
    assert contents(ensure_pki(tmp_path, NAMES, NOW).directory) == before


def test_they_are_not_restored_unasked(snapshot: Path, tmp_path: Path) -> None:
    done = restore(snapshot, tmp_path)

    assert done.code == 0
    assert "has keys and certificates, too: --with-pki DIR restores them" in done.out
    assert not (tmp_path / "pki").exists()
    store = (tmp_path / "cluster.db").read_bytes()
    assert b"PRIVATE KEY" in snapshot.read_bytes()
    assert b"PRIVATE KEY" not in store


def test_status_names_them(snapshot: Path, pki: Path) -> None:
    looked = run("snapshot", "status", str(snapshot))
    as_json = run("snapshot", "status", str(snapshot), "--write-out", "json")

    assert f", with {len(contents(pki))} files of --with-pki\n" in looked.out
    assert '"ca.key"' in as_json.out


@pytest.mark.parametrize("content", ["a file", "a directory with a file"])
def test_what_is_there_is_left_alone(snapshot: Path, tmp_path: Path, content: str) -> None:
    place = tmp_path / "pki"
    if content == "a file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "ca.key").write_text("mine")

    done = restore(snapshot, tmp_path, "--with-pki", str(place))

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"{place} exists already" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["pki"]


def test_an_empty_directory_will_do(snapshot: Path, pki: Path, tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir(mode=0o755)

    assert restore(snapshot, tmp_path, "--with-pki", f"{tmp_path}/pki").code == 0
    assert contents(tmp_path / "pki") == contents(pki)
    assert (tmp_path / "pki").stat().st_mode & 0o777 == 0o700


def test_a_restore_that_fails_leaves_no_keys(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "cluster.db").write_text("mine")

    done = restore(snapshot, tmp_path, "--with-pki", f"{tmp_path}/pki")

    assert (done.code, "exists already" in done.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["cluster.db"]


def test_a_changed_key_is_noticed(snapshot: Path, tmp_path: Path) -> None:
    data = bytearray(snapshot.read_bytes())
    place = data.index(b"PRIVATE KEY-----\n") + 40
    data[place] ^= 1
    spoiled = tmp_path / "spoiled.db"
    spoiled.write_bytes(data)

    done = restore(spoiled, tmp_path, "--with-pki", f"{tmp_path}/pki")

    assert (done.code, "its checksum is wrong" in done.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["spoiled.db"]
    assert run("snapshot", "status", str(spoiled)).code == 2


@pytest.mark.parametrize("name", ["../x", "pki/../../x", "/etc/x", "pki", "other/x"])
def test_names_that_lead_elsewhere_are_refused(snapshot: Path, tmp_path: Path, name: str) -> None:
    data = snapshot.read_bytes()
    store = data[: data.index(b"ustar") - 257]
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as made:
        made.addfile(tarfile.TarInfo(name))
    body = store + tar.getvalue()
    forged = tmp_path / "forged.db"
    forged.write_bytes(body + hashlib.sha256(body).digest())

    done = restore(forged, tmp_path, "--with-pki", f"{tmp_path}/pki")

    assert (done.code, "it has a key called" in done.err) == (2, True), done
    assert [path.name for path in tmp_path.iterdir()] == ["forged.db"]


def test_a_snapshot_without_keys_is_named(server: Datastore, tmp_path: Path) -> None:
    plain = tmp_path / "plain.db"
    run("snapshot", "save", str(plain), "--endpoints", server.endpoint)

    done = restore(plain, tmp_path, "--with-pki", f"{tmp_path}/pki")

    assert (done.code, "has no keys: it was saved without --with-pki" in done.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["plain.db"]


def _nothing(_: Path) -> None:
    return


def _link(directory: Path) -> None:
    (directory / "ca.key").symlink_to("/etc/passwd")


def _large(directory: Path) -> None:
    (directory / "core").write_bytes(bytes(MOST_BYTES))


@pytest.mark.parametrize(
    ("fill", "said"),
    [(_nothing, "holds no files"), (_link, "is no plain file"), (_large, "more than 16 MiB")],
)
def test_what_is_no_directory_of_keys_is_refused(tmp_path: Path, fill: object, said: str) -> None:
    assert callable(fill)
    fill(tmp_path)

    with pytest.raises(CannotPack, match=said):
        pack(tmp_path)


def test_directories_in_it_come_along(server: Datastore, tmp_path: Path) -> None:
    source, file = tmp_path / "kubernetes", tmp_path / "f.db"
    (source / "etcd").mkdir(parents=True)
    (source / "ca.key").write_text("1")
    (source / "etcd" / "ca.key").write_text("2")
    words = ("--endpoints", server.endpoint, "--with-pki", str(source))

    assert run("snapshot", "save", str(file), *words).code == 0
    assert restore(file, tmp_path, "--with-pki", f"{tmp_path}/pki").code == 0
    assert contents(tmp_path / "pki") == {"ca.key": b"1", "etcd/ca.key": b"2"}


@pytest.fixture(autouse=True, scope="module")
def _private() -> Iterator[None]:
    """Modes come from the tool and not from the caller's mask."""
    before = os.umask(0)
    yield
    os.umask(before)
