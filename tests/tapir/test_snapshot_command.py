"""`tapir snapshot`: from a running server to a file, and from the file to a new server."""

import os
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.support.datastore import Datastore
from tests.support.ports import free_port

SECONDS = 60


def snapshot(
    *words: str | Path, env: dict[str, str] | None = None, answer: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal; `answer` is what it reads."""
    return subprocess.run(
        [sys.executable, "-m", "tapir", "snapshot", *map(str, words)],
        env={**os.environ, **(env or {})},
        input=answer,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        start_new_session=True,
    )


def put(server: Datastore, key: bytes, value: bytes) -> int:
    """Put a key and return the revision."""
    with grpc.insecure_channel(server.address) as channel:
        request = pb.PutRequest(key=key, value=value)
        return int(rpc_pb2_grpc.KVStub(channel).Put(request).header.revision)


def get(server: Datastore, key: bytes) -> pb.RangeResponse:
    """Read a key."""
    with grpc.insecure_channel(server.address) as channel:
        answer: pb.RangeResponse = rpc_pb2_grpc.KVStub(channel).Range(pb.RangeRequest(key=key))
        return answer


def test_saved_looked_at_restored_and_served(tmp_path: Path) -> None:
    file, restored = tmp_path / "snapshot.db", f"sqlite:///{tmp_path}/restored.db"
    with Datastore() as server:
        put(server, b"a", b"1")
        revision = put(server, b"b", b"x" * 100_000)
        saved = snapshot("save", file, "--endpoints", server.endpoint)
    looked_at = snapshot("status", file)
    made = snapshot("restore", file, "--endpoint", restored)

    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout == f"snapshot saved to {file}: {file.stat().st_size - 32} bytes\n"
    assert f"revision {revision}, 2 keys" in looked_at.stdout
    assert made.stdout == f"restored at revision {revision}\n"
    assert file.stat().st_mode & 0o777 == 0o600
    with Datastore(restored) as server:
        found = get(server, b"a")
        assert [kv.value for kv in found.kvs] == [b"1"]
        assert found.header.revision == revision
        assert put(server, b"c", b"2") == revision + 1


def refused(*words: str | Path) -> str:
    """Run what cannot be done; return the one line that it says."""
    done = snapshot(*words)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"

    said = refused("save", tmp_path / "file", "--endpoints", endpoint)

    assert f"{endpoint} does not answer" in said
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_speaks_otherwise(tmp_path: Path) -> None:
    with Datastore() as server:
        said = refused("save", tmp_path / "file", "--endpoints", f"https://{server.address}")
        nowhere = refused("save", tmp_path / "none" / "file", "--endpoints", server.endpoint)
        slash = snapshot("save", tmp_path / "file", "--endpoints", f"http://{server.address}/")

    assert "takes connections but does not answer as https" in said
    assert f"{tmp_path}/none/file: No such file or directory: make the directory" in nowhere
    assert slash.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("restore", "none", "--endpoint", "sqlite:///new.db"), "none: No such file"),
        (("restore", "none"), "needs --endpoint"),
        (("restore", "none", "--endpoint", "oracle://x"), "is not one of"),
        (("restore", "f", "--endpoint", "sqlite:///n.db", "--mark-compacted"), "go together"),
        (("restore", "f", "--endpoint", "sqlite:///n.db", "--bump-revision=-1"), "negative"),
        (("status", "none"), "none: No such file"),
        (("save", "f", "--endpoints", "http://a:1,http://b:1"), "a single URL"),
        (("save", "f", "--endpoints", "ftp://a:1"), "ftp://a:1"),
        (("save", "f", "--endpoints", "http://a"), "http://host:port"),
        (("save", "f", "--endpoints", "http://[::1"), "http://host:port"),
        (("save", "f", "--endpoints", "https://a:1", "--cert", "README.md"), "both or neither"),
        (("save", "f", "--endpoints", "https://a:1", "--cacert", "README.md"), "in PEM"),
        (
            ("save", "f", "--endpoints", "https://a:1", "--cert", "README.md", "--key", "Makefile"),
            "README.md and Makefile: no certificate with its key",
        ),
        (("save", "f", "--keep", "2"), "--keep needs a directory that is there"),
        (("save", "{time}.db", "--keep", "0"), "--keep must be 1 or more"),
        (("save", "{time}/f"), "write {time} once, in the file's name"),
        (("save", "f", "--with-pki", "README.md"), "README.md is no directory"),
        (("copy", "f"), "invalid choice: 'copy'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_a_store_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file, store = tmp_path / "snapshot.db", tmp_path / "store.db"
    with Datastore() as server:
        snapshot("save", file, "--endpoints", server.endpoint)
    store.write_bytes(b"mine")

    assert f"{store} exists already" in refused("restore", file, "--endpoint", f"sqlite:///{store}")
    assert store.read_bytes() == b"mine"


def test_what_lies_in_the_way_is_replaced_and_not_written_to(tmp_path: Path) -> None:
    file, other = tmp_path / "snapshot.db", tmp_path / "other"
    other.write_bytes(b"mine")
    other.chmod(0o644)
    for name in ("snapshot.db", "snapshot.db.part"):
        (tmp_path / name).symlink_to(other)
    with Datastore() as server:
        saved = snapshot("save", file, "--endpoints", server.endpoint)

    assert saved.returncode == 0, saved.stderr
    assert other.read_bytes() == b"mine"
    assert not file.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("*.part")) == ["snapshot.db.part"]


def test_a_user_is_let_in_by_what_the_environment_or_the_caller_says(tmp_path: Path) -> None:
    with Datastore() as server, grpc.insecure_channel(server.address) as channel:
        stub = rpc_pb2_grpc.AuthStub(channel)
        stub.UserAdd(pb.AuthUserAddRequest(name="root", password="secret"))
        stub.UserGrantRole(pb.AuthUserGrantRoleRequest(user="root", role="root"))
        stub.AuthEnable(pb.AuthEnableRequest())
        words = ("save", tmp_path / "file", "--endpoints", server.endpoint)

        nobody = snapshot(*words)
        named = snapshot(*words, env={"ETCDCTL_USER": "root:secret"})
        asked = snapshot(*words, "--user", "root", answer="secret\n")
        unanswered = snapshot(*words, "--user", "root")

    assert (nobody.returncode, named.returncode, asked.returncode) == (2, 0, 0), asked
    assert unanswered.returncode == 2
    assert "no password for user root: give name:password in ETCDCTL_USER" in unanswered.stderr
