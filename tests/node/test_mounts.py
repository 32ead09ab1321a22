"""Memory volumes are given back: when their pod ends, when it is deleted, and after a restart."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.resources import PODS
from node.kubelet.volumes.base import VolumeFailure
from node.kubelet.volumes.mounts import mount_memory, mounts_below, unmount_below
from node.kubelet.volumes.pod_volumes import PodVolumes
from tests.node.builders import UID, container, pod
from tests.node.stage import Stage, is_running, main_status

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
MEMORY = {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
TABLE = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /pods/a rw - tmpfs tmpfs rw
41 40 0:41 / /pods/a/with\\040blank rw shared:7 master:1 - tmpfs tmpfs rw
42 22 0:42 / /pods/ab rw - tmpfs tmpfs rw
43 40 0:43 / /pods/a rw - tmpfs tmpfs rw
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory below which nothing stays mounted."""
    yield tmp_path
    unmount_below(tmp_path)


def memory(path: Path) -> Path:
    path.mkdir(parents=True)
    assert mount_memory(path, "size=1m") == ""
    return path


def test_the_kernels_table_is_read_last_mount_first(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(TABLE)
    found = mounts_below(Path("/pods/a"), tmp_path / "mountinfo")
    assert [str(path) for path in found] == ["/pods/a", "/pods/a/with blank", "/pods/a"]


@as_root
def test_mounts_in_mounts_and_over_mounts_go(directory: Path) -> None:
    outer = memory(directory / "a b")
    memory(outer / "inner")
    assert mount_memory(outer, "size=1m") == ""
    assert len(mounts_below(directory)) == 3
    unmount_below(directory)
    assert mounts_below(directory) == []


@as_root
async def test_what_stays_mounted_is_not_emptied(directory: Path) -> None:
    volumes = PodVolumes(directory, None)  # type: ignore[arg-type]
    mount = memory(volumes.pod_directory(UID) / "volumes" / "kubernetes.io~empty-dir" / "v")
    with (mount / "file").open("w"):
        with pytest.raises(VolumeFailure, match=f"cannot unmount {mount}: .*busy"):
            await volumes.tear_down(UID)
        assert os.listdir(mount) == ["file"]
    await volumes.tear_down(UID)
    assert not volumes.pod_directory(UID).exists()


def test_mounting_says_why_it_cannot(tmp_path: Path) -> None:
    assert "mount" in mount_memory(tmp_path / "missing", "size=1m")


@as_root
@pytest.mark.parametrize("runtime_name", ["simulated"])
async def test_one_pod_that_resists_does_not_keep_others(cluster: Stage) -> None:
    pods = cluster.config.root_dir / "pods"
    busy = memory(pods / "a-gone" / "volumes" / "kubernetes.io~empty-dir" / "v")
    memory(pods / "b-gone" / "volumes" / "kubernetes.io~empty-dir" / "v")
    in_use = (busy / "file").open("w")
    async with cluster:
        with in_use:
            await until_left(cluster, ["a-gone"])
            assert busy.is_mount()
        await cluster.stop()
        await cluster.start()  # what nobody uses any more goes at the next look
        await until_left(cluster, [])
    assert mounts_below(pods) == []


@as_root
@pytest.mark.docker
async def test_a_finished_pod_gives_its_memory_back_and_can_still_be_asked(stage: Stage) -> None:
    script = "echo said; echo last words > /dev/termination-log; echo kept > /v/file"
    main = container(command=["sh", "-c", script], volumeMounts=[{"name": "v", "mountPath": "/v"}])
    await stage.create(pod(main, restartPolicy="Never", volumes=[MEMORY]))
    seen = await stage.until(lambda p: p["status"]["phase"] == "Succeeded")
    directory = stage.config.root_dir / "pods" / seen["metadata"]["uid"]
    while (directory / "volumes").exists():
        await stage.breathe()
    assert mounts_below(directory) == []
    await stage.stop()
    await stage.start()
    await stage.create(pod(container(command=["sleep", "1000"]), name="after"))
    await stage.until(is_running, "after")  # so the kubelet has looked at all its pods
    assert message_of(await stage.pod()) == "last words\n"
    assert await stage.logs() == "said\n"


@as_root
@pytest.mark.docker
async def test_a_pod_deleted_while_the_kubelet_is_away_leaves_no_mount(stage: Stage) -> None:
    main = container(command=["sleep", "1000"], volumeMounts=[{"name": "v", "mountPath": "/v"}])
    await stage.create(pod(main, volumes=[MEMORY]))
    await stage.until(is_running)
    assert len(mounts_below(stage.config.root_dir)) == 1
    await stage.stop()
    await stage.client.delete(PODS, "web", "default", options={"gracePeriodSeconds": 0})
    await stage.start()
    await until_left(stage, [])
    assert mounts_below(stage.config.root_dir) == []


def test_unmounting_needs_no_command_where_nothing_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    unmount_below(tmp_path)


def message_of(seen: dict[str, Any]) -> str:
    return str(main_status(seen)["state"]["terminated"]["message"])


async def until_left(stage: Stage, uids: list[str]) -> None:
    """Return once these pods' directories are all that is left."""
    pods = stage.config.root_dir / "pods"
    while sorted(os.listdir(pods)) != uids:
        await stage.breathe()
