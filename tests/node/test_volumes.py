"""Volumes on disk: contents, modes, atomic updates, what is refused, and mounts."""

import base64
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from node.kubelet.containers.mounts import MountFailure, container_mounts
from node.kubelet.containers.references import PodFacts
from node.kubelet.volumes import VOLUMES
from node.kubelet.volumes.atomic_writer import write_payload
from node.kubelet.volumes.base import FileContent, Payload, VolumeFailure
from node.kubelet.volumes.pod_volumes import PodVolumes, VolumeSetUpFailure
from tests.node.builders import UID, container, pod

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Reader:
    """API objects by kind and name."""

    def __init__(self, **objects: dict[str, Any]) -> None:
        self.objects = objects

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return self.objects.get(f"{kind}_{name}")

    async def token(self, pod: dict[str, Any], audience: str, seconds: int) -> str:
        return f"token-for-{audience or 'api'}-{seconds}"


CM = {"data": {"a": "one", "b": "two"}, "binaryData": {"bin": base64.b64encode(b"\x00").decode()}}
SECRET = {"data": {"pw": base64.b64encode(b"hunter2").decode()}}
READER = Reader(configmap_cm=CM, secret_sec=SECRET)


async def set_up(root: Path, volume: dict[str, Any], reader: Reader = READER, **spec: Any) -> Path:
    spec = pod(volumes=[{"name": "v", **volume}], metadata={"labels": {"x": "y"}}, **spec)
    facts = PodFacts(spec, ["10.0.0.1"], ["192.0.2.1"], {"cpu": "2", "memory": "1Gi"})
    return (await PodVolumes(root, reader).set_up(facts))["v"]


def contents(directory: Path) -> dict[str, str]:
    """What a container sees: files by path, hidden parts left out."""
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in directory.rglob("*")
        if path.is_file() and not path.relative_to(directory).parts[0].startswith("..")
    } | {
        str((link / path.relative_to(link)).relative_to(directory)): path.read_text()
        for link in directory.iterdir()
        if link.is_symlink() and link.is_dir() and not link.name.startswith("..")
        for path in link.rglob("*")
        if path.is_file()
    }


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_the_table_covers_what_the_issue_asks_for() -> None:
    wanted = {"configMap", "secret", "emptyDir", "hostPath", "projected", "downwardAPI"}
    assert wanted <= set(VOLUMES)


async def test_config_map(tmp_path: Path) -> None:
    path = await set_up(tmp_path, {"configMap": {"name": "cm"}})
    assert contents(path) == {"a": "one", "b": "two", "bin": "\x00"}
    assert mode_of(path / "a") == 0o644
    assert os.readlink(path / "a") == "..data/a"


async def test_items_and_modes(tmp_path: Path) -> None:
    items = [{"key": "a", "path": "to/deep/a", "mode": 0o400}, {"key": "b", "path": "b"}]
    source = {"name": "cm", "items": items, "defaultMode": 0o600}
    path = await set_up(tmp_path, {"configMap": source})
    assert contents(path) == {"to/deep/a": "one", "b": "two"}
    assert mode_of(path / "to/deep/a") == 0o400
    assert mode_of(path / "b") == 0o600


async def test_secret(tmp_path: Path) -> None:
    path = await set_up(tmp_path, {"secret": {"secretName": "sec", "defaultMode": 0o400}})
    assert contents(path) == {"pw": "hunter2"}
    assert mode_of(path / "pw") == 0o400


async def test_downward_api(tmp_path: Path) -> None:
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}},
    ]
    path = await set_up(tmp_path, {"downwardAPI": {"items": items}})
    assert contents(path) == {"labels": 'x="y"', "cpu": "2"}


async def test_projected_merges_its_sources(tmp_path: Path) -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "cm", "items": [{"key": "a", "path": "ca.crt"}]}},
        {"secret": {"name": "sec"}},
        {
            "downwardAPI": {
                "items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]
            }
        },
    ]
    path = await set_up(tmp_path, {"projected": {"sources": sources}})
    assert contents(path) == {
        "token": "token-for-api-3607",
        "ca.crt": "one",
        "pw": "hunter2",
        "ns": "default",
    }


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "no"}}, 'configmap "no" not found'),
        ({"secret": {"secretName": "no"}}, 'secret "no" not found'),
        (
            {"configMap": {"name": "cm", "items": [{"key": "no", "path": "x"}]}},
            "configmap references non-existent config key: no",
        ),
        (
            {"secret": {"secretName": "sec", "items": [{"key": "no", "path": "x"}]}},
            "references non-existent secret key: no",
        ),
        ({"nfs": {"server": "x"}}, "volume type nfs is not supported by this node"),
        ({"emptyDir": {"medium": "HugePages"}}, "emptyDir medium HugePages is not supported"),
        (
            {"projected": {"sources": [{"clusterTrustBundle": {}}]}},
            "projected source clusterTrustBundle is not supported",
        ),
    ],
)
async def test_what_cannot_be_set_up_is_named(
    tmp_path: Path, volume: dict[str, Any], message: str
) -> None:
    with pytest.raises(VolumeSetUpFailure) as failure:
        await set_up(tmp_path, volume)
    assert str(failure.value) == f'MountVolume.SetUp failed for volume "v" : {message}'


async def test_optional_sources_leave_an_empty_directory(tmp_path: Path) -> None:
    assert contents(await set_up(tmp_path, {"configMap": {"name": "no", "optional": True}})) == {}


async def test_empty_dir_keeps_its_contents(tmp_path: Path) -> None:
    path = await set_up(tmp_path, {"emptyDir": {}})
    assert mode_of(path) == 0o777
    (path / "x").write_text("kept")
    assert (await set_up(tmp_path, {"emptyDir": {}}) / "x").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting and changing groups take root")
async def test_empty_dir_in_memory_is_unmounted_with_the_pod(tmp_path: Path) -> None:
    path = await set_up(tmp_path, {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}})
    try:
        assert path.is_mount()
        assert os.statvfs(path).f_blocks * os.statvfs(path).f_frsize == 1024 * 1024
        assert mode_of(path) == 0o777
    finally:
        await PodVolumes(tmp_path, READER).tear_down(UID)
    assert not (tmp_path / "pods" / UID).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting and changing groups take root")
async def test_fs_group_owns_the_files(tmp_path: Path) -> None:
    context = {"fsGroup": 1001}
    path = await set_up(
        tmp_path,
        {"secret": {"secretName": "sec", "defaultMode": 0o400}},
        securityContext=context,
    )
    assert (mode_of(path / "pw"), (path / "pw").stat().st_gid) == (0o440, 1001)
    empty = await set_up(tmp_path / "2", {"emptyDir": {}}, securityContext=context)
    assert (mode_of(empty), empty.stat().st_gid) == (0o2777, 1001)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("", "new", None),
        ("DirectoryOrCreate", "new", None),
        ("FileOrCreate", "new", None),
        ("Directory", "dir", None),
        ("File", "file", None),
        ("Directory", "file", "is not a directory"),
        ("File", "missing", "is not a file"),
        ("Socket", "file", "is not a socket file"),
    ],
)
async def test_host_path_types(tmp_path: Path, kind: str, name: str, message: str | None) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").touch()
    volume = {"hostPath": {"path": str(tmp_path / name), "type": kind}}
    if message is None:
        assert (await set_up(tmp_path, volume)).exists()
        return
    with pytest.raises(VolumeSetUpFailure, match=f"hostPath type check failed: .*{message}"):
        await set_up(tmp_path, volume)


def payload(**files: str) -> Payload:
    return {name: FileContent(text.encode()) for name, text in files.items()}


def test_an_update_replaces_everything_at_once(tmp_path: Path) -> None:
    assert write_payload(tmp_path, payload(a="1", b="1"), NOW)
    before = os.readlink(tmp_path / "..data")
    assert write_payload(tmp_path, payload(a="2", c="2"), NOW)
    assert contents(tmp_path) == {"a": "2", "c": "2"}
    assert os.readlink(tmp_path / "..data") != before
    assert not (tmp_path / before).exists()


def test_the_same_contents_write_nothing(tmp_path: Path) -> None:
    write_payload(tmp_path, payload(a="1"), NOW)
    assert not write_payload(tmp_path, payload(a="1"), NOW)
    assert write_payload(tmp_path, {"a": FileContent(b"1", 0o600)}, NOW)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..x", ""])
def test_paths_stay_in_the_volume(tmp_path: Path, path: str) -> None:
    with pytest.raises(VolumeFailure, match="must be relative and stay in the volume"):
        write_payload(tmp_path, {path: FileContent(b"")}, NOW)


def mounts_of(volume: Path, env: dict[str, str] | None = None, **mount: Any) -> Any:
    one = container(volumeMounts=[{"name": "v", "mountPath": "/mnt", **mount}])
    spec = pod(one, volumes=[{"name": "v", "configMap": {"name": "cm"}}])
    return container_mounts(spec, one, {"v": volume}, env or {})[0]


def test_mounts(tmp_path: Path) -> None:
    mount = mounts_of(tmp_path, mountPath="relative")
    assert (mount.source, mount.target, mount.read_only) == (str(tmp_path), "/relative", True)
    assert mounts_of(tmp_path, mountPropagation="Bidirectional").propagation == "rshared"


def test_sub_paths(tmp_path: Path) -> None:
    assert mounts_of(tmp_path, subPath="new/dir").source == str(tmp_path / "new/dir")
    assert (tmp_path / "new/dir").is_dir()
    mount = mounts_of(tmp_path, {"POD": "web"}, subPathExpr="logs/$(POD)")
    assert mount.source == str(tmp_path / "logs/web")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"subPath": "/abs"}, "must not be an absolute path"),
        ({"subPath": "a/../../b"}, "must not contain '..'"),
        ({"subPathExpr": "$(NO)/$(NEITHER)"}, "missing value for NO, NEITHER"),
        ({"subPath": "link"}, 'failed to prepare subPath for volumeMount "v"'),
        ({"name": "other"}, 'volume "other" is not in the pod'),
    ],
)
def test_mounts_that_are_refused(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    (tmp_path / "link").symlink_to("/etc")
    with pytest.raises(MountFailure, match=message.replace("(", r"\(")):
        mounts_of(tmp_path, **fields)
